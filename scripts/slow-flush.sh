#!/usr/bin/env bash
# Runs the command as on a disk that takes longer to flush: every fsync and fdatasync of it and of
# all it starts is held up for so many microseconds more.
#
# usage: scripts/slow-flush.sh MICROSECONDS COMMAND [ARG…]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/ensure-packages.sh" gcc libc6-dev
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# The database may run as another user.
chmod 755 "$directory"
gcc -O2 -shared -fPIC -o "$directory/slow-flush.so" -x c - <<'C'
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int held(int outcome) {
    const char *text = getenv("SLOW_FLUSH_MICROS");
    long micros = text ? atol(text) : 0;
    struct timespec wait = {micros / 1000000, micros % 1000000 * 1000};
    nanosleep(&wait, NULL);
    return outcome;
}

int fsync(int file) { return held(syscall(SYS_fsync, file)); }
int fdatasync(int file) { return held(syscall(SYS_fdatasync, file)); }
C
SLOW_FLUSH_MICROS=$1 LD_PRELOAD="$directory/slow-flush.so" "${@:2}"
