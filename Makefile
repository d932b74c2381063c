# Every target sets up what it needs. The only requirements are Python 3.11 or newer, make and a package index.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# The uv on the path, else one in .uv.
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
BIN := .venv/bin
MEMBERS := apps/api apps/workers apps/cli libs/core libs/common libs/storage libs/services libs/pipelines
STAMP := .venv/.installed
ARGS ?=

.PHONY: help
help:  ## show this help
	@awk 'BEGIN {FS = ":.*## "} /^## / {printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Use
.PHONY: run
run: $(STAMP)  ## start everything on this machine with the sample data, and serve (Ctrl-C stops; ARGS="--port 9000")
	@$(BIN)/aurum up $(ARGS)

.PHONY: trino
trino: $(STAMP)  ## start Trino over Iceberg beside the data of make run (needs Java 24 and Maven; ARGS="--port 8081")
	@$(BIN)/python tools/trino.py $(ARGS)

.PHONY: setup
setup: $(STAMP)  ## install everything into .venv, and nothing else

## Develop
.PHONY: test
test: $(STAMP)  ## run the whole test suite (ARGS="-k blocks" for a part)
	@$(BIN)/pytest -n $${AURUM_TEST_PROCESSES:-2} --dist loadfile $(ARGS)

.PHONY: check
check: lint types imports lock-check openapi-check  ## every check that runs no test

.PHONY: lint
lint: $(STAMP)  ## style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python tools/lint/row_loops.py

.PHONY: format
format: $(STAMP)  ## put the code in its format
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

.PHONY: types
types: $(STAMP)  ## types, strict on libs (fails when no file is looked at)
	@$(BIN)/python tools/typecheck.py

.PHONY: imports
imports: $(STAMP)  ## who may import whom
	@$(BIN)/lint-imports --no-cache

.PHONY: spectral
spectral:  ## lint contracts/openapi.json (needs npm)
	@tools/spectral/lint.sh

.PHONY: openapi
openapi: $(STAMP)  ## write contracts/openapi.json
	@$(BIN)/aurum openapi

.PHONY: openapi-check
openapi-check: $(STAMP)  ## fail when contracts/openapi.json is not what the API serves
	@$(BIN)/aurum openapi --check

.PHONY: isolated
isolated: $(STAMP)  ## import each member in an environment of its own: undeclared dependencies fail
	@$(BIN)/python tools/isolated.py $(UV)

.PHONY: bench
bench: $(STAMP)  ## measure against the limits and the stock stack; writes bench/results/latest.json
	@$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: $(UV)  ## resolve anew into uv.lock
	@$(PYTHON) tools/lock.py write $(UV)

.PHONY: lock-check
lock-check: $(UV)  ## fail when uv.lock does not fit the pyproject files
	@$(PYTHON) tools/lock.py check $(UV)

.PHONY: sizes
sizes:  ## median, p95 and largest module, longest function
	@$(PYTHON) tools/sizes.py

.PHONY: clean
clean:  ## remove the environment and caches; data stays in .aurum
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.uv/bin/uv:
	@echo "installing uv into .uv"
	@$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The lock names no index (see docs/adr/0008): uv installs its versions and hashes from the index this machine uses.
$(STAMP): uv.lock pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS)) | $(UV)
	@echo "installing the environment (.venv); the first time downloads about 400 MB"
	@test -x $(BIN)/python || $(UV) venv --quiet --no-python-downloads --python $(PYTHON) .venv
	@$(UV) export --quiet --frozen --no-header --all-packages --all-groups --no-emit-workspace -o .venv/requirements.txt
	@VIRTUAL_ENV=.venv $(UV) pip sync --require-hashes .venv/requirements.txt
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps $(addprefix --editable ,$(MEMBERS))
	@touch $(STAMP)
