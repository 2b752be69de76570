#!/usr/bin/env bash
# Third-party clients, unchanged, against a demo of this checkout. Needs python3 and node.
# Usage: run.sh HONGBAO_BINARY
set -euo pipefail
hongbao=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
tools=$here/../../.test
mkdir -p "$tools"
if [ ! -x "$tools/venv/bin/python" ]; then python3 -m venv "$tools/venv"; fi
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
mkdir -p "$tools/node"
cp "$here/package.json" "$here/package-lock.json" "$tools/node/"
npm ci --prefix "$tools/node" --silent --no-audit --no-fund

data=$(mktemp -d)
"$hongbao" demo --data "$data" --v2-listen 127.0.0.1:0 --web-listen 127.0.0.1:0 \
  --ops-listen 127.0.0.1:0 >"$data/demo.log" 2>&1 &
demo=$!
trap 'kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 300); do
  if [ -s "$data/demo.json" ]; then break; fi
  if ! kill -0 "$demo" 2>/dev/null; then cat "$data/demo.log"; exit 1; fi
  sleep 0.1
done

REQUESTS_CA_BUNDLE=$data/ca/ca.pem "$tools/venv/bin/python" "$here/wechatpy_client.py" "$data/demo.json"
NODE_EXTRA_CA_CERTS=$data/ca/ca.pem NODE_PATH=$tools/node/node_modules \
  node "$here/node_clients.js" "$data/demo.json"
"$hongbao" verify --data "$data" | tail -n 1
