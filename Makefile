# Two commands do everything on a fresh machine with Python 3.11+, git and make:
#   make run    a leaderboard on the embedded set, in results/local/
#   make test   the tests

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RESULTS := results/local
SIDE_BY_SIDE := -n auto --dist loadgroup --no-loadscope-reorder  # see tests/conftest.py

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow test-all cover lint recompute format bench kills mutate clean

help:            ## Show this list
	@grep -E '^[a-z-]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

install: $(STAMP) ## Make the environment in .venv

# Rebuilt only when what it is made from changes; the stamp comes last, so that an interrupted
# installation is begun again.
$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cxr-bench needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

run: $(STAMP)    ## Train every suite whose data are there; prints where the leaderboard is
	$(BIN)/cxr-bench run --all --results $(RESULTS)

test: $(STAMP)   ## Run the tests, without the slow ones
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'not slow'

test-slow: $(STAMP) ## Run the slow tests, among them the largest models
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m slow

test-all: $(STAMP) ## Run all tests
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

cover: $(STAMP)  ## Print what the tests of records, scoring, suites and report do not reach
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov -m 'not slow' $(addprefix tests/,records scoring suites report)

lint: $(STAMP)   ## Check style, layers and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

recompute: $(STAMP) ## Compute the numbers of results/ anew from its predictions, and compare
	$(BIN)/cxr-bench leaderboard --recompute --results results

format: $(STAMP) ## Put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## Measure speed on a quiet machine, into benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.bench

kills: $(STAMP)  ## Kill and resume a run 30 times and compare what comes out
	$(BIN)/python -m benchmarks.kills

mutate: $(STAMP) ## Change state files 2,400 times at random, and read them with every command
	CXR_BENCH_MUTATIONS=2400 $(BIN)/python -m pytest -s tests/mutations

clean:           ## Remove the environment and local results
	rm -rf $(VENV) $(RESULTS) *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage
