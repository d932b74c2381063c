# Every target sets up what it needs. The only requirements are Python 3.11 or newer, make and a package index.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# The uv on the path, otherwise one in .uv.
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
BIN := .venv/bin
MEMBERS := apps/api apps/workers apps/cli libs/core libs/common libs/charts libs/storage libs/services libs/pipelines libs/assembly
STAMP := .venv/.installed
ARGS ?=

.PHONY: help
help:  ## show this help
	@awk 'BEGIN {FS = ":.*## "} /^## / {printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## Use
.PHONY: run
run: $(STAMP)  ## run the service with embedded servers and sample data (stop: Ctrl-C; ARGS="--port 9000")
	@$(BIN)/aurum up $(ARGS)

.PHONY: trino
trino: $(STAMP)  ## run Trino over Iceberg on the data of make run (needs Java 24 and Maven; ARGS="--port 8081")
	@$(BIN)/python tools/trino.py $(ARGS)

.PHONY: setup
setup: $(STAMP)  ## install all dependencies into .venv

## Develop
# Compiled test modules are kept, also where the environment says not to: compiling all of them takes ten seconds.
# Quick tests are so short that starting threads would take longer than the tests: those of Polars for each small frame, and the one
# of faulthandler for each test.
test: QUICK := $(findstring not server,$(ARGS))
.PHONY: test
test: $(STAMP)  ## run all tests (ARGS="-k blocks" for some, ARGS="-m 'not server'" for those that start no server)
	@$(if $(QUICK),POLARS_MAX_THREADS=1) PYTHONDONTWRITEBYTECODE= $(BIN)/pytest \
		-n $${AURUM_TEST_PROCESSES:-2} --dist loadfile --no-loadscope-reorder $(if $(QUICK),-o faulthandler_timeout=0) $(ARGS)

.PHONY: test-explore
test-explore: SEED := $(or $(SEED),$(shell $(PYTHON) -c "import secrets; print(secrets.randbits(32))"))
test-explore: $(STAMP)  ## search for counterexamples with ten times as many examples (SEED=123 repeats a search)
	@echo "make test-explore SEED=$(SEED) repeats this search"
	@$(BIN)/pytest -m hypothesis --hypothesis-profile=explore --hypothesis-seed=$(SEED) --timeout=0 -n $${AURUM_TEST_PROCESSES:-2} --dist loadfile $(ARGS)

.PHONY: kill-test
kill-test: KILLS ?= 300
kill-test: SEED ?= 1
kill-test: $(STAMP)  ## kill workers and servers KILLS=300 times over 500 jobs, and check each effect (SEED=2 for another order)
	@AURUM_TEST_KILLS=$(KILLS) AURUM_TEST_KILL_SEED=$(SEED) $(BIN)/pytest apps/workers/tests/test_kills.py -k 500 -q -n0 --timeout=0 $(ARGS)

.PHONY: check
check:  ## run every check except the tests; a failure does not keep the others from running
	@$(MAKE) --no-print-directory -k lint types imports dependencies lock-check openapi-check events-check

.PHONY: lint
lint: $(STAMP)  ## check style, format, row loops and migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python tools/lint/row_loops.py
	@$(BIN)/python tools/lint/migrations.py
	@$(BIN)/python tools/lint/plain_words.py

.PHONY: format
format: $(STAMP)  ## format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

.PHONY: types
types: $(STAMP)  ## check types, strict in libs
	@$(BIN)/python tools/typecheck.py

.PHONY: imports
imports: $(STAMP)  ## check which package may import which
	@$(BIN)/lint-imports --no-cache

.PHONY: dependencies
dependencies: $(STAMP)  ## check for undeclared, unused and unbounded dependencies of members
	@$(BIN)/python tools/dependencies.py

.PHONY: spectral
spectral:  ## lint contracts/openapi.json with Spectral (needs npm)
	@tools/spectral/lint.sh

.PHONY: openapi
openapi: $(STAMP)  ## write contracts/openapi.json, and its operations to the recorded surface
	@$(BIN)/aurum openapi
	@$(BIN)/python apps/api/tests/support/api_surface.py

.PHONY: openapi-check
openapi-check: $(STAMP)  ## check that contracts/openapi.json equals what the API serves
	@$(BIN)/aurum openapi --check

.PHONY: events
events: $(STAMP)  ## write contracts/events, the schemas of the payloads of jobs
	@$(BIN)/python tools/job_contracts.py

.PHONY: events-check
events-check: $(STAMP)  ## check that contracts/events equals the definitions of jobs
	@$(BIN)/python tools/job_contracts.py --check

.PHONY: isolated
isolated: $(STAMP)  ## import each member in an environment of its own, to find undeclared dependencies
	@$(BIN)/python tools/isolated.py $(UV)

.PHONY: fuzz
fuzz: SECONDS ?= 60
fuzz: $(STAMP)  ## damaged files and requests for SECONDS=60; nothing may fail (SEED=123 repeats a run)
	@$(BIN)/python -m fuzz --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

.PHONY: bench
bench: $(STAMP)  ## measure performance against limits and a stock stack; writes bench/results/latest.json
	@$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: $(UV)  ## resolve the dependencies again and write uv.lock
	@$(PYTHON) tools/lock.py write $(UV)

.PHONY: lock-check
lock-check: $(UV)  ## check that uv.lock matches the pyproject files
	@$(PYTHON) tools/lock.py check $(UV)

.PHONY: sizes
sizes:  ## show sizes of modules and functions in lines
	@$(PYTHON) tools/sizes.py

.PHONY: clean
clean:  ## remove .venv and caches; data stays in .aurum
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
