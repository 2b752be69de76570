#!/usr/bin/env bash
# Lets the fortieth flush of the SQLite writer fail with EIO (A-14) and runs the test that looks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/ensure-packages.sh strace
if ! strace -o /dev/null true 2>/dev/null; then
  echo "SKIPPED: this machine does not let a process be traced, so no flush can be made to fail"
  exit 0
fi
tests=$(cargo test --locked -p hongbao-store --lib --no-run 2>&1 | sed -n 's/.*(\(target[^)]*\)).*/\1/p; s/.*(\(\/[^)]*\)).*/\1/p' | tail -n 1)
strace -f -qq -o /dev/null -e trace=fsync,fdatasync \
  -e inject=fsync,fdatasync:error=EIO:when=40 \
  "$tests" --ignored --nocapture after_a_failed_fsync
