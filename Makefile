# Everything runs in .venv, made on the first call. Needs Python >= 3.11 and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin
DATA ?= clearframe-data
WITH ?= references
SCOPE ?=
ONCE ?=
.DEFAULT_GOAL := help
# Compiled modules are kept: without them every start takes two seconds longer.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: help install lock demo run up down test test-all check format generate bench rescan clean

help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

install: .venv/.installed ## makes .venv from requirements.lock (every other target does it when needed)

.venv/.installed: requirements.lock pyproject.toml
	@echo "Installing into .venv (once; a minute or two) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Clearframe needs Python 3.11 or newer; call make PYTHON=/path/to/python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@$(BIN)/python -m compileall -q services shared
	@$(BIN)/clearframe compile
	@touch $@

demo: .venv/.installed ## real verdicts on real pictures, a report page, then the service itself until Ctrl-C (ONCE=1: exit at once)
	@$(BIN)/clearframe demo $(if $(ONCE),--once)

run: .venv/.installed ## everything in one process on http://127.0.0.1:8484 (DATA=folder)
	@$(BIN)/clearframe up --data $(DATA)

up: ## the compose stack: Kafka, PostgreSQL, S3 and the three services (needs Docker)
	@deploy/make-env
	docker compose up --build --detach --wait

down: ## stops the compose stack, keeps its data
	docker compose down

test: .venv/.installed ## the fast tier: no servers, no browser, nothing slow
	@$(BIN)/pytest -q -n 2 --dist worksteal -p no:schemathesis -m "not real and not browser and not faults and not slow"

test-all: .venv/.installed ## everything, against real Kafka, PostgreSQL, S3 and Chromium
	@$(BIN)/python deploy/with_servers.py $(BIN)/pytest -q --durations=5 -n 2 --dist worksteal

check: .venv/.installed ## ruff, mypy --strict, import rules, generated files fresh
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/clearframe generate --check

format: .venv/.installed ## ruff format and the fixes ruff can make
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: .venv/.installed ## writes the generated documents: schemas, AsyncAPI, OpenAPI, settings
	@$(BIN)/clearframe generate

lock: ## resolves pyproject.toml anew into requirements.lock
	@$(BIN)/uv pip compile -q --universal --no-header --generate-hashes --all-extras --group dev pyproject.toml -o requirements.lock

bench: .venv/.installed ## measures against named peers, writes docs/BENCHMARKS.md (ONLY="hashing uploads": some)
	@$(BIN)/python -m tests.bench $(ONLY)

rescan: .venv/.installed ## takes past uploads again: SCOPE="production=atlas since=2026-10-01" WITH=references,rulebook,engine DATA=folder
	@$(BIN)/clearframe rescan --data $(DATA) --with $(WITH) $(SCOPE)

clean: ## removes .venv and caches, never data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
