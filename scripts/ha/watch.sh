#!/usr/bin/env bash
# Watches a pair of PostgreSQL servers: promotes the standby when the primary is gone, fences the
# old primary, and brings it back as a standby. Runs until it is stopped; best beside neither.
#
# usage: scripts/ha/watch.sh DIR
#
# What keeps acknowledged commits safe is PostgreSQL, not this script:
#
#   - The primary answers a commit once its standby has it on disk (synchronous_standby_names). A
#     standby that was seen to be synchronous therefore has every commit that was answered.
#   - A primary that was taken for dead and is not cannot answer a commit any more: the standby that
#     it waits for is a primary itself now. So a wrong decision here costs seconds, not money.
#   - A standby that was never seen to be synchronous since it joined is not promoted. Nor does the
#     primary ever stop waiting for a standby by itself: without one it answers no commit. Both are
#     decisions for a person.
#   - Only right after a promotion does the new primary answer alone, until the old one is back: the
#     old one is fenced by the first two points, and is promoted only after it was synchronous again.
#
# HA_REJOIN=no leaves an old primary down. HA_SYNC=no runs without a synchronous standby and promotes
# whatever is there: that loses commits, and shows that the tests see it.
set -euo pipefail
directory=$(cd "$1" && pwd)
# shellcheck source=scripts/ha/lib.sh
. "$(dirname "$0")/lib.sh"
primary=
for node in a b; do
  if [ "$(ask "$node" 'SELECT pg_is_in_recovery()')" = f ]; then
    if [ -n "$primary" ]; then echo "both are primaries: stop the older one" >&2; exit 1; fi
    primary=$node
  fi
done
if [ -z "$primary" ]; then echo "no primary is up: start it, then the watcher" >&2; exit 1; fi
standby=$(other "$primary")
failures_max=${HA_FAILURES:-3}
pause=${HA_PAUSE:-0.5}
synchronous=no
failures=0

# Keeps a server that may be half dead from being a primary again.
fence() {
  event fencing "$1"
  on "$1" touch "$directory/$1/standby.signal" || return 0
  local pid
  pid=$(on "$1" head -n 1 "$directory/$1/postmaster.pid" 2>/dev/null) || return 0
  # A process that is stopped or hangs takes no other signal.
  on "$1" sh -c "kill -KILL \$(ps -o pid= --ppid $pid) $pid 2>/dev/null; rm -f '$directory/$1/postmaster.pid'" || true
}

promote() {
  fence "$primary"
  on "$standby" "$bin/pg_ctl" -D "$directory/$standby" -w -t 60 promote >/dev/null
  event promoted "$standby"
  standby=$primary
  primary=$(other "$standby")
  synchronous=no
  failures=0
}

# Brings a server that is down back as a standby. What it wrote and the other never had was never
# answered: pg_rewind takes it back.
rejoin() {
  event rejoining "$1"
  # Until then the new primary's control file names the old timeline, and pg_rewind 15 believes it.
  PGCONNECT_TIMEOUT=2 psql -Xq -h "$(host "$primary")" -p "$(port "$primary")" -U hongbao \
    -d postgres -c CHECKPOINT || return 0
  # Recovery in single-user mode, which pg_rewind needs, refuses a standby.
  on "$1" rm -f "$directory/$1/standby.signal"
  if on "$1" "$bin/pg_rewind" -D "$directory/$1" \
    --source-server="host=$(host "$primary") port=$(port "$primary") user=hongbao dbname=postgres" \
    >>"$directory/rewind.log" 2>&1; then
    settings "$1" ''
    on "$1" touch "$directory/$1/standby.signal"
    start "$1" || true
  fi
  if ! streams "$1"; then
    event cloning "$1"
    on "$1" "$bin/pg_ctl" -D "$directory/$1" -m immediate stop >/dev/null 2>&1 || true
    clone "$1"
  fi
  event rejoined "$1"
}

# Whether a standby gets what the primary writes, within ten seconds.
streams() {
  for _ in $(seq 20); do
    if [ "$(standby_state "$1")" = streaming ]; then return 0; fi
    sleep 0.5
  done
  return 1
}

standby_state() {
  ask "$primary" "SELECT coalesce(max(state), 'none') FROM pg_stat_replication
                  WHERE application_name = '$1'"
}

# Lets the primary wait for the standby that streams again, and learns when it surely does.
make_synchronous() {
  local names="FIRST 1 ($standby)"
  settings "$primary" "$names"
  ask "$primary" 'SELECT pg_reload_conf()' >/dev/null || return 0
  # Every process has read the setting by then; and whatever was answered before is passed on.
  sleep 1
  local written flushed
  written=$(ask "$primary" 'SELECT pg_current_wal_flush_lsn()') || return 0
  for _ in $(seq 100); do
    flushed=$(ask "$primary" "SELECT sync_state = 'sync' AND flush_lsn >= '$written'
                              FROM pg_stat_replication WHERE application_name = '$standby'") || return 0
    if [ "$flushed" = t ]; then
      synchronous=yes
      event synchronous "$standby"
      return 0
    fi
    sleep 0.1
  done
}

step() {
  local state
  if ! state=$(standby_state "$standby"); then
    failures=$((failures + 1))
    if [ "$failures" -lt "$failures_max" ]; then return; fi
    if [ "$synchronous" = yes ] || [ "${HA_SYNC:-yes}" = no ]; then
      promote
    else
      event "needed: a person. The primary is gone, and $standby was not synchronous"
      sleep 5
    fi
    return
  fi
  failures=0
  if [ "$state" = streaming ]; then
    if [ "$synchronous" = no ] && [ "${HA_SYNC:-yes}" = yes ]; then make_synchronous; fi
  elif ! ask "$standby" 'SELECT 1' >/dev/null && [ "${HA_REJOIN:-yes}" = yes ]; then
    rejoin "$standby"
  fi
}

event watching "$primary"
while true; do
  step || event "a step failed and is taken again"
  sleep "$pause"
done
