#!/usr/bin/env bash
# Renews .sqlx: what the macros must know of every query when they compile without a database.
#   sqlx.sh          writes .sqlx
#   sqlx.sh --check  fails when .sqlx is not what it would write (missing or stale files)
# Runs a PostgreSQL of its own in a temporary directory. It cannot use the program's embedded one: while a query is new
# the program does not compile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=$(tools/embedded-postgres/fetch.sh --print-bin)

work=$(mktemp -d /tmp/deskless-sqlx.XXXXXX)
as_server=() # PostgreSQL refuses to run as root
if [ "$(id -u)" = 0 ]; then
  account=$(getent passwd postgres >/dev/null && echo postgres || echo nobody)
  chown "$account" "$work"; as_server=(setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups --)
fi
server=
finish() { if [ -n "$server" ]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi; rm -rf "$work"; }
trap finish EXIT

"${as_server[@]}" "$bin/initdb" -D "$work/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$work/initdb.log" 2>&1 \
  || { cat "$work/initdb.log" >&2; exit 1; }
# In single-user mode a blank line after a semicolon ends a command: without blank lines each migration is one command.
for migration in migrations/*.sql; do awk 'NF' "$migration"; printf ';\n\n'; done >"$work/migrations.sql"
"${as_server[@]}" "$bin/postgres" --single -j -D "$work/data" -c fsync=off postgres <"$work/migrations.sql" >"$work/migrations.log" 2>&1 || true
if grep -E "ERROR|FATAL|PANIC" "$work/migrations.log" >&2; then echo "the migrations do not apply" >&2; exit 1; fi
"${as_server[@]}" "$bin/postgres" -D "$work/data" -k "$work" -c listen_addresses= -c fsync=off >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 200); do grep -q ready "$work/data/postmaster.pid" 2>/dev/null && break; sleep 0.05; done

mkdir "$work/sqlx"
# Compile our own crate anew, so that every macro runs; what we use stays as it is.
touch src/lib.rs src/main.rs tests/*.rs; find examples benches -name '*.rs' -exec touch {} + 2>/dev/null || true
SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$work/sqlx" DATABASE_URL="postgres://postgres@localhost/postgres?host=$work" \
  cargo check --quiet --all-targets
touch src/lib.rs

if [ "${1:-}" = --check ]; then
  diff -rq .sqlx "$work/sqlx" || { echo ".sqlx is not in step with the queries: run make sqlx" >&2; exit 1; }
  echo ".sqlx is in step: $(find .sqlx -name 'query-*.json' | wc -l) queries"
else
  mkdir -p .sqlx; rm -f .sqlx/query-*.json; cp "$work"/sqlx/query-*.json .sqlx/
  echo "wrote $(find .sqlx -name 'query-*.json' | wc -l) queries"
fi
