#!/usr/bin/env bash
# Starts a PostgreSQL of its own in a temporary directory, on a socket only, runs the command with
# HONGBAO_TEST_POSTGRES_URL naming it, and takes everything down again.
#
# usage: scripts/with-postgres.sh COMMAND [ARG…]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/ensure-packages.sh postgresql postgresql-client
bin=$(dirname "$(find /usr/lib/postgresql -name initdb -type l -o -name initdb -type f | sort -V | tail -n 1)")
directory=$(mktemp -d)
# PostgreSQL refuses to run as root: then it runs as the user that its package made.
as=()
if [ "$(id -u)" -eq 0 ]; then
  as=(setpriv --reuid=postgres --regid=postgres --init-groups)
  chown postgres "$directory"
fi
# Others may reach the socket; the cluster itself is its owner's (initdb sees to that).
chmod 755 "$directory"
cd "$directory"
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$directory/cluster" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$directory"
}
trap stop EXIT
"${as[@]}" "$bin/initdb" -D cluster -U hongbao -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
# Many tests at once, each with a few connections. Everything that durability needs stays on.
cat >>cluster/postgresql.conf <<CONF
listen_addresses = ''
unix_socket_directories = '$directory'
max_connections = 400
shared_buffers = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
max_prepared_transactions = 0
log_min_messages = fatal
CONF
"${as[@]}" "$bin/pg_ctl" -D cluster -l "$directory/log" -w start >/dev/null || { cat "$directory/log"; exit 1; }
export HONGBAO_TEST_POSTGRES_URL="postgres://hongbao@${directory//\//%2F}/postgres"
export HONGBAO_TEST_POSTGRES_CLUSTER="$directory/cluster"
# For tests that kill servers, or set them wrong: those start their own.
export HONGBAO_TEST_POSTGRES_BIN="$bin"
cd "$OLDPWD"
"$@"
