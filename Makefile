# `make help` lists the commands.
PYTHON ?= python3

venv := .venv
python := $(venv)/bin/python
installed := $(venv)/.installed

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install lab test check bench bench-peers lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(installed) ## make .venv with the command meridian in it

lab: install ## start three regions on this machine, Ctrl-C stops them
	@exec $(venv)/bin/meridian lab up

test: install ## set up what the tests need, check the code, run all tests
	tests/setup/system-packages
	$(python) -m services.lab.kafka_broker --prepare
	$(MAKE) --no-print-directory check
	$(python) -m pytest

check: install ## lint, format, types, layers
	$(python) -m pip check
	$(venv)/bin/ruff check
	$(venv)/bin/ruff format --check
	$(venv)/bin/mypy
	$(venv)/bin/lint-imports

bench: install ## measure one region beside a bare server, into build/bench.json
	tests/setup/system-packages wrk
	$(python) -m tests.bench

bench-peers: install ## the same, with dynalite and Dynoxide in the same run
	tests/setup/system-packages wrk npm cargo
	$(python) -m tests.bench --peers

lock: install ## write the lock files anew from pyproject.toml
	$(compile) --extra dev --output-file requirements.lock pyproject.toml
	$(compile) --constraint requirements.lock --output-file requirements-runtime.lock pyproject.toml

clean: ## remove .venv, build and caches; the lab's data stays
	rm -rf $(venv) build *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find deploy services shared tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Universal: one file for every platform and every Python from 3.11 on.
compile = $(venv)/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

$(python):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; Meridian needs Python 3.11 or newer." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Meridian needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || true)." \
			"Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments." \
			"On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(venv)

$(installed): requirements.lock pyproject.toml | $(python)
	$(python) -m pip install --quiet --require-hashes --requirement requirements.lock
	$(python) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
