# What the scripts of a pair share: two PostgreSQL servers, a and b, in one directory. Sourced.
#
#   DIR/a, DIR/b            the clusters
#   DIR/a.log, DIR/b.log    what they say
#   DIR/events              what the watcher did: milliseconds since 1970, what, to whom
#
# On two machines each command of a server runs there: set HA_RUN_a and HA_RUN_b to what reaches
# them, for example "ssh postgres@db1", and HA_HOST_a and HA_HOST_b to their addresses.

bin=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
port_a=${HA_PORT_a:-5441}
port_b=${HA_PORT_b:-5442}

# PostgreSQL refuses to run as root: then it runs as the user that its package made.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
  as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi

# Runs a command where a server is: on NODE COMMAND [ARG…]
on() {
  local reach="HA_RUN_$1"
  shift
  # The prefix is several words.
  # shellcheck disable=SC2086
  ${!reach:-} "${as_owner[@]}" "$@"
}

port() { if [ "$1" = a ]; then echo "$port_a"; else echo "$port_b"; fi; }
host() { local host="HA_HOST_$1"; echo "${!host:-$directory}"; }
other() { if [ "$1" = a ]; then echo b; else echo a; fi; }
event() { echo "$(date +%s%3N) $*" | tee -a "$directory/events" >&2; }

# Asks a server, for three seconds at most: ask NODE SQL
ask() {
  PGCONNECT_TIMEOUT=2 timeout 3 psql -XqAt -h "$(host "$1")" -p "$(port "$1")" -U hongbao \
    -d postgres -c "$2" 2>/dev/null
}

# The settings of one server, outside of what pg_rewind copies between them: settings NODE NAMES.
# NAMES is what its commits wait for: empty, or the other server.
settings() {
  on "$1" sh -c "cat >'$directory/$1/node.conf'" <<CONF
port = $(port "$1")
unix_socket_directories = '$directory'
cluster_name = '$1'
primary_conninfo = 'host=$(host "$(other "$1")") port=$(port "$(other "$1")") user=hongbao application_name=$1'
synchronous_standby_names = '$2'
CONF
}

start() { on "$1" "$bin/pg_ctl" -D "$directory/$1" -l "$directory/$1.log" -w -t 60 start >/dev/null; }

# Makes a server a copy of the other, which must be up: clone NODE
clone() {
  local from
  from=$(other "$1")
  on "$1" rm -rf "$directory/$1"
  on "$1" "$bin/pg_basebackup" -D "$directory/$1" -h "$(host "$from")" -p "$(port "$from")" \
    -U hongbao -X stream -c fast
  settings "$1" ''
  on "$1" touch "$directory/$1/standby.signal"
  start "$1"
}
