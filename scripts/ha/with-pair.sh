#!/usr/bin/env bash
# Starts a primary and its synchronous standby in a temporary directory, on sockets only, and the
# watcher that promotes; runs the command with HONGBAO_TEST_PAIR naming the directory and
# HONGBAO_TEST_PAIR_URL both servers; and takes everything down again.
#
# usage: scripts/ha/with-pair.sh COMMAND [ARG…]      HA_SYNC=no, HA_REJOIN=no: see watch.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/../ensure-packages.sh" postgresql postgresql-client procps
directory=$(mktemp -d)
# shellcheck source=scripts/ha/lib.sh
. "$here/lib.sh"
if [ ${#as_owner[@]} -gt 0 ]; then chown postgres "$directory"; fi
# Others may reach the sockets; the clusters are their owner's.
chmod 755 "$directory"
watcher=
stop() {
  if [ -n "$watcher" ]; then
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
  fi
  for node in a b; do
    on "$node" "$bin/pg_ctl" -D "$directory/$node" -m immediate stop >/dev/null 2>&1 || true
  done
  if [ -n "${HA_KEEP:-}" ]; then echo "kept: $directory" >&2; else rm -rf "$directory"; fi
}
trap stop EXIT
work=$PWD
cd "$directory"
on a "$bin/initdb" -D "$directory/a" -U hongbao -A trust -E UTF8 --locale=C.UTF-8 -k >/dev/null
on a sh -c "cat >>'$directory/a/postgresql.conf'" <<'CONF'
listen_addresses = ''
max_connections = 200
shared_buffers = 128MB
wal_keep_size = 512MB
wal_log_hints = on
hot_standby = on
# A standby that stops in the middle of a record is noticed soon; a primary that is gone, too.
wal_sender_timeout = 10s
wal_receiver_timeout = 10s
wal_retrieve_retry_interval = 500ms
include 'node.conf'
CONF
settings a ''
start a
clone b
HA_SYNC=${HA_SYNC:-yes} "$here/watch.sh" "$directory" 2>"$directory/watch.log" &
watcher=$!
if [ "${HA_SYNC:-yes}" = yes ]; then
  for _ in $(seq 300); do
    if grep -q synchronous "$directory/events" 2>/dev/null; then break; fi
    sleep 0.1
  done
  grep -q synchronous "$directory/events" || { cat "$directory"/*.log >&2; exit 1; }
fi
socket=${directory//\//%2F}
export HONGBAO_TEST_PAIR="$directory"
export HONGBAO_TEST_PAIR_URL="postgres://hongbao@$socket:$port_a,$socket:$port_b/postgres"
cd "$work"
"$@"
