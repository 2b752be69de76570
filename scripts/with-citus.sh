#!/usr/bin/env bash
# Starts a Citus coordinator and two workers of its own in a temporary directory, runs the command
# with HONGBAO_TEST_CITUS_URL naming the coordinator and HONGBAO_TEST_POSTGRES_URL a database there
# without Citus, and takes everything down again.
#
# Citus is not in Debian: docs/CITUS.md tells how to build it.
#
# usage: scripts/with-citus.sh COMMAND [ARG…]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/ensure-packages.sh postgresql postgresql-client
bin=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
version=$(basename "$(dirname "$bin")")
if [ ! -e "/usr/share/postgresql/$version/extension/citus.control" ]; then
  cat >&2 <<SAY
The Citus extension is not installed for PostgreSQL $version, and Debian has no package of it. Build it
once, as root, which takes some minutes:

$(sed -n '/^```sh build$/,/^```$/{/^```/d;s/^/  /;p}' docs/CITUS.md)

docs/CITUS.md says more. Then run this again.
SAY
  exit 1
fi
directory=$(mktemp -d)
# PostgreSQL refuses to run as root: then it runs as the user that its package made.
as=()
if [ "$(id -u)" -eq 0 ]; then
  as=(setpriv --reuid=postgres --regid=postgres --init-groups)
  chown postgres "$directory"
fi
chmod 755 "$directory"
cd "$directory"
nodes=(coordinator worker1 worker2)
stop() {
  for node in "${nodes[@]}"; do
    "${as[@]}" "$bin/pg_ctl" -D "$directory/$node" -m immediate stop >/dev/null 2>&1 || true
  done
  if [ -n "${CITUS_KEEP:-}" ]; then echo "kept: $directory" >&2; else rm -rf "$directory"; fi
}
trap stop EXIT
port=${CITUS_PORT:-5451}
run() { psql -XqAt -v ON_ERROR_STOP=1 -h "$directory" -U hongbao -p "$1" -d "$2" -c "$3" >/dev/null; }
for number in 0 1 2; do
  node=${nodes[$number]}
  "${as[@]}" "$bin/initdb" -D "$node" -U hongbao -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
  cat >>"$node/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$directory'
port = $((port + number))
shared_preload_libraries = 'citus'
max_connections = 600
max_prepared_transactions = 600
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
log_min_messages = warning
# Servers of one machine find each other by their sockets.
citus.local_hostname = '$directory'
citus.node_conninfo = 'sslmode=prefer'
# Many tests at once, each with shards of its own.
citus.shard_count = ${CITUS_SHARDS:-4}
citus.max_cached_conns_per_worker = 1
citus.recover_2pc_interval = 5s
CONF
  "${as[@]}" "$bin/pg_ctl" -D "$node" -l "$directory/$node.log" -w start >/dev/null ||
    { cat "$directory/$node.log"; exit 1; }
  run $((port + number)) postgres 'CREATE DATABASE distributed'
  run $((port + number)) distributed 'CREATE EXTENSION citus'
done
run "$port" distributed "SELECT citus_set_coordinator_host('$directory', $port)"
for number in 1 2; do
  run "$port" distributed "SELECT citus_add_node('$directory', $((port + number)))"
done
socket=${directory//\//%2F}
export HONGBAO_TEST_CITUS="$directory"
export HONGBAO_TEST_CITUS_URL="postgres://hongbao@$socket:$port/distributed"
export HONGBAO_TEST_POSTGRES_URL="postgres://hongbao@$socket:$port/postgres"
cd "$OLDPWD"
"$@"
