# The doors of the project. A fresh machine needs Python 3.11 to 3.13 and make.

ARGS ?=
# Tests wait more than they work; in small portions, so that no process is left with the long ones.
PYTEST_ARGS ?= -n 3 --maxschedchunk=2
VENV := .venv
BIN := $(VENV)/bin
MIGRATIONS = $(filter-out %.down.sql,$(wildcard sql/migrations/*.sql))
UV_COMPILE = $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --quiet $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help run test lint schema rules format bench faults hostile kills many env lock venv clean FORCE

# A venv that was moved along with its folder is out of date whatever its stamps say (ops/venv).
ifneq ($(shell cat $(VENV)/.home 2>/dev/null),$(CURDIR))
STALE := FORCE
endif

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.run  ## start everything here, without Docker or a database; ARGS=--demo plays a story
	@exec $(BIN)/reprise up $(ARGS)

# Hundreds of processes are started: whatever the environment says, each module is compiled once and not by every one of them.
test: $(VENV)/.dev  ## run the tests; PYTEST_ARGS="-x tests/shared" for some of them
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## check style, types, which room may import which, and the migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(if $(MIGRATIONS),$(BIN)/squawk $(MIGRATIONS))
	@$(BIN)/python -m tests.harness.golden --check

schema: $(VENV)/.dev  ## write down the schema after each migration; do it whenever a migration changed
	@$(BIN)/python -m tests.harness.golden

rules: $(VENV)/.dev  ## draw the state machine in docs/how-it-works.md; do it whenever its table changed
	@$(BIN)/python -m tests.docs.rules

format: $(VENV)/.dev  ## put the code in the form that lint wants
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

hostile: $(VENV)/.dev  ## fuzz the receiver and the API with 10,000 requests
	@HOSTILE_REQUESTS=10000 $(BIN)/python -m pytest tests/hostile

kills: $(VENV)/.dev  ## kill migrations after each single statement
	@KILL_ALWAYS=1 $(BIN)/python -m pytest tests/shared/postgres/test_killing.py

many: $(VENV)/.dev  ## want a hundred albums at once, in the real limits of Soulseek (a quarter of an hour)
	@MANY_FULL=1 $(BIN)/python -m pytest tests/journeys/test_many_at_once.py

bench: $(VENV)/.dev  ## measure, beside plain peers in the same run
	@$(BIN)/python -m bench $(ARGS)

faults: $(VENV)/.dev  ## break everything while it works, and write docs/reliability.md; ARGS=postgres for some rows
	@$(BIN)/python -m tests.faults $(ARGS)

env:  ## write a .env with fresh secrets for compose.yaml; an existing one stays
	@ops/write-env .env

lock: $(VENV)/.dev  ## pin the packages again after pyproject.toml changed; UPGRADE=--upgrade takes the newest
	@$(UV_COMPILE) --extra standalone --extra dev --output-file requirements-dev.lock
	@$(UV_COMPILE) --extra standalone --constraints requirements-dev.lock --output-file requirements.lock
	@$(UV_COMPILE) --constraints requirements-dev.lock --output-file requirements-image.lock

venv: $(VENV)/.dev  ## make .venv with everything for working on Reprise

clean:  ## remove what make and the tools made, but never ./data
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.run: requirements.lock pyproject.toml ops/venv $(STALE)
	@VENV=$(VENV) ops/venv requirements.lock
	@touch $@

# The larger lock holds the smaller one, at the same versions.
$(VENV)/.dev: requirements-dev.lock pyproject.toml ops/venv $(STALE)
	@VENV=$(VENV) ops/venv requirements-dev.lock
	@touch $(VENV)/.run $@
