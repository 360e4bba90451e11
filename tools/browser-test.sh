#!/usr/bin/env bash
# Tries GraphiQL in headless Chromium, as a manager would, against a demo server of its own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ -d "$root/web/node_modules" ] || (cd "$root/web" && npm ci --no-audit --no-fund --loglevel=error)
exec "$root/tools/with-demo.sh" npm --prefix "$root/web" test
