# `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help fmt lint test

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

fmt: ## Format the code
	cargo fmt --all

lint: ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test: lint ## Run every check
	cargo test --workspace
