# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help demo story test test-stores citus test-citus failover bench fmt lint doc fuzz clean

DATA ?= demo-data
FUZZ_SECONDS ?= 60
N ?= 40
# A nightly toolchain where there is one; else the stable one is asked to act as one.
FUZZ := $(shell rustup run nightly rustc --version >/dev/null 2>&1 && echo 'cargo +nightly fuzz' || echo 'env RUSTC_BOOTSTRAP=1 cargo fuzz')

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: tools ## Build, start a seeded platform in demo-data/, and say what to try
	cargo build --release --locked --bin hongbao
	PATH="$(CURDIR)/target/release:$$PATH" hongbao demo --data $(DATA)

story: tools ## Tell the demo's story once in a directory of its own, and check the books
	cargo build --release --locked --bin hongbao
	data=$$(mktemp -d) && target/release/hongbao demo --once --data "$$data"; status=$$?; rm -rf "$$data"; exit $$status

test: tools ## Run every check, cheapest first; installs what is missing
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --locked -p hongbao-testkit --test tidy
	cargo test --locked -p hongbao-domain -p hongbao-wire -p hongbao-app
	scripts/ensure-packages.sh procps
	scripts/with-postgres.sh $(MAKE) --no-print-directory test-stores
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet
	scripts/ensure-packages.sh python3-venv
	tests/sdk/run.sh target/debug/hongbao

# What runs on SQLite and PostgreSQL; `test` starts one PostgreSQL for all of it. The interface is
# tried in memory, on PostgreSQL, and on three servers that share one database.
test-stores:
	cargo test --locked -p hongbao-store -p hongbao-testkit
	scripts/failed-fsync.sh
	cargo test --locked -p hongbao-http
	HONGBAO_TEST_API_STORE=postgres cargo test --locked -p hongbao-http --tests
	HONGBAO_TEST_API_STORE=three-on-postgres cargo test --locked -p hongbao-http --tests
	@echo 'SKIPPED: the interface on Citus; `make citus` runs it, with all else that needs a cluster' >&2
	cargo test --locked -p hongbao-server

citus: tools ## Try store, interface and a killed worker on a Citus cluster; says how to get Citus
	scripts/ensure-packages.sh procps
	scripts/with-citus.sh $(MAKE) --no-print-directory test-citus

# What runs on a coordinator with two workers; `citus` starts them.
test-citus:
	cargo test --locked -p hongbao-store --lib distributed
	cargo test --locked -p hongbao-store --test verify_citus
	cargo test --locked -p hongbao-testkit --test citus
	cargo test --locked -p hongbao-testkit --test storms on_citus
	HONGBAO_TEST_API_STORE=citus cargo test --locked -p hongbao-http --tests
	cargo test --locked -p hongbao-server --test cluster -- --nocapture

failover: tools ## Kill the primary of a PostgreSQL pair under load, N times (40), and look for what is lost
	scripts/ensure-packages.sh postgresql postgresql-client procps
	HONGBAO_TEST_FAILOVERS=$(N) cargo test --locked -p hongbao-server --test failover -- --nocapture --test-threads 1

bench: tools ## Print the figures of this machine, SQLite, PostgreSQL and Redis (about forty minutes)
	scripts/ensure-packages.sh redis-server redis-tools
	cargo build --release --locked --bin hongbao
	ulimit -n "$$(ulimit -H -n)" && scripts/with-postgres.sh sh -c 'target/release/hongbao bench --parts rates,size,neighbours,overload,redis --json bench/results/bench.json --postgres "$$HONGBAO_TEST_POSTGRES_URL"'

fuzz: tools ## Fuzz XML reader, canonical string and money text for a minute each
	@scripts/ensure-packages.sh g++
	command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
	for target in xml_reader canonical_string money_text; do \
	  mkdir -p fuzz/corpus/$$target && $(FUZZ) run $$target fuzz/corpus/$$target fuzz/seeds/$$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

fmt: ## Format the code
	cargo fmt --all

lint: ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

clean: ## Remove what was built and tried
	rm -rf target .test demo-data bench/results

.PHONY: tools
tools:
	@scripts/ensure-packages.sh gcc libc6-dev
