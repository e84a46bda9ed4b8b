# Everything a person needs: run, test, check, bench, clean. Each target makes .venv by itself when it is missing or stale.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS   ?= 2
SHELL  := /bin/sh

.DEFAULT_GOAL := help
.PHONY: help run test check lint types imports test-slow bench screens clean

help:
	@echo "make run     install, run the moons case study on the embedded SageMaker, then open the console"
	@echo "make test    the test suite (make test-slow adds the minutes-long ones: SDK v2, benchmarks' smoke runs)"
	@echo "make check   ruff, mypy, import-linter, tests"
	@echo "make bench   the benchmarks, as ratios against a named peer in the same run"
	@echo "make clean   remove .venv and what builds leave behind (your data and runs stay: mlconsole where)"

# The stamps hold what was installed: another pyproject.toml, other constraints or another Python make them stale.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mlconsole needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing mlconsole into $(VENV) (a few minutes the first time: PyTorch and the SageMaker SDK are large)"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing mlconsole and its test tools into $(VENV) (a few minutes the first time)"
	@$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/run.stamp

run: $(VENV)/run.stamp
	@$(BIN)/mlconsole run moons --then-console

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

test-slow: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -q --run-slow

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	@$(BIN)/mypy

imports: $(VENV)/dev.stamp
	@$(BIN)/lint-imports

check: lint types imports test

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m benchmarks

screens: $(VENV)/dev.stamp
	@$(BIN)/python docs/screens/make.py

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
