# Everything a person needs: run, test, check, bench, clean. Each target makes .venv by itself when it is missing or stale.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS   ?= 4
SHELL  := /bin/sh
# Container images like to set it. Each of some thousand processes would compile all of our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run studies test check lint types imports test-slow bench screens clean run-env dev-env

help:
	@echo "make run     install, run the moons case study on the embedded SageMaker, then open the console"
	@echo "make studies every case study at its full size, both interfaces, on the data there are: a table of times and scores"
	@echo "make test    the test suite (make test-slow adds the minutes-long ones: SDK v2, benchmarks' smoke runs)"
	@echo "make check   ruff, mypy, import-linter, tests"
	@echo "make bench   the benchmarks, as ratios against a named peer in the same run"
	@echo "make clean   remove .venv and what builds leave behind (your data and runs stay: mlconsole where)"

# One installation at a time: two terminals, or `make -j`, would tear the same .venv apart.
LOCKED  = $(PYTHON) -c 'import fcntl, subprocess, sys; f = open(".venv.lock", "w"); fcntl.flock(f, 2); sys.exit(subprocess.call(sys.argv[1:], close_fds=False))'

# A .venv that was moved, or whose Python is gone, does not work any more: its first stamp goes, and with it the others.
define installed
@command -v $(PYTHON) >/dev/null || { echo "mlconsole needs Python 3.11 or newer, and there is no $(PYTHON). Try: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
@[ -x $(BIN)/python ] && [ "$$(cat $(VENV)/python.stamp 2>/dev/null)" = "$$(pwd -P)" ] || rm -f $(VENV)/python.stamp
+@$(LOCKED) $(MAKE) --no-print-directory -s $(1)
endef

run-env:
	$(call installed,$(VENV)/run.stamp)

dev-env:
	$(call installed,$(VENV)/dev.stamp)

# The stamps tell what was installed: another pyproject.toml or other constraints make them stale.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mlconsole needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@pwd -P > $@.new && mv $@.new $@

# A path in site-packages instead of a finder that every start of Python imports: 2 ms instead of 12.
EDITABLE := --config-settings editable_mode=compat

$(VENV)/run.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing mlconsole into $(VENV) (a few minutes the first time: PyTorch and the SageMaker SDK are large)"
	@$(PIP) install -c constraints.txt $(EDITABLE) -e .
	@touch $@

# Of 18,600 files the tests import a third, which compile when they are: 40 s of one core less.
$(VENV)/dev.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "Installing mlconsole and its test tools into $(VENV) (a few minutes the first time)"
	@$(PIP) install --no-compile -c constraints.txt $(EDITABLE) -e '.[dev]'
	@touch $@ $(VENV)/run.stamp

run: run-env
	@$(BIN)/mlconsole run moons --then-console

studies: run-env
	@$(BIN)/mlconsole studies run

# Real processes, terminals and random draws on a shared machine: a test that fails is run once more, and named as RERUN at the end.
# What the tests import is compiled once, and not by four processes at the same time: two minutes of a core on a fresh checkout.
test: dev-env
	@$(BIN)/python -m pytest -q --collect-only tests >/dev/null 2>&1 || true
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --reruns 1 --durations=20

test-slow: dev-env
	@$(BIN)/python -m pytest -q --run-slow

lint: dev-env
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: dev-env
	@$(BIN)/mypy

imports: dev-env
	@$(BIN)/lint-imports

check: lint types imports test

bench: dev-env
	@$(BIN)/python -m benchmarks

screens: dev-env
	@$(BIN)/python docs/screens/make.py

clean:
	@rm -rf $(VENV) .venv.lock build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
