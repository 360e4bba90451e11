#!/usr/bin/env bash
# Runs a command against a demo server of its own: fresh data, a free port, stopped afterwards.
#   tools/with-demo.sh COMMAND [ARGUMENT…]     the command finds the address in DESKLESS_URL
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${DESKLESS_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/deskless}
[ -x "$bin" ] || (cd "$root" && cargo build --quiet)
[ $# -gt 0 ] || { sed -n 2,3p "${BASH_SOURCE[0]}"; exit 2; }

data=$(mktemp -d /tmp/deskless-demo.XXXXXX); chmod 711 "$data"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=
finish() {
  if [ -n "$server" ]; then kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$data"
}
trap finish EXIT

env -u DATABASE_URL DESKLESS_DATA_DIR="$data" DESKLESS_SERVER__LISTEN="127.0.0.1:$port" "$bin" demo >"$data/log" 2>&1 &
server=$!
ready() { python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=1)' "http://127.0.0.1:$port/readyz" 2>/dev/null; }
for _ in $(seq 600); do
  if ready; then break; fi
  kill -0 "$server" 2>/dev/null || { echo "the demo server ended:" >&2; cat "$data/log" >&2; exit 1; }
  sleep 0.1
done
ready || { echo "the demo server did not become ready:" >&2; tail -40 "$data/log" >&2; exit 1; }
export DESKLESS_URL="http://127.0.0.1:$port"
"$@" || { code=$?; echo "--- the server's last words" >&2; tail -40 "$data/log" >&2; exit "$code"; }
