# Two commands: `make repro` (set up, run, look at tables/ and figures/) and `make test`. Both are safe to repeat.
# PROFILE=smoke|ci|desktop|full|paper   which settings to run with (default: params.yaml as it is; desktop in a fresh clone)
# PYTHON=python3.12               which Python 3.11 - 3.13 to build the environment with
# PIP_ARGS='--extra-index-url https://download.pytorch.org/whl/cpu'   e.g. to get torch without CUDA

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KERNELS := $(VENV)/.kernels
PIP_ARGS ?=

# One thread a process: training runs seeds in parallel. Idle OpenMP threads sleep instead of spinning.
export OMP_WAIT_POLICY := PASSIVE
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup repro smoke verify test test-slow test-nightly lint check lock clean
.DEFAULT_GOAL := help

help:
	@echo "make repro [PROFILE=ci]  set up, then regenerate every table and figure with verdicts"
	@echo "make smoke               the same on a handful of structures, in minutes: to see that all of it runs"
	@echo "make verify [ARCHIVE=archive/full]  check the archived run in minutes: models, figures, tables, verdicts"
	@echo "make test                set up, then run the unit tests (minutes)"
	@echo "make test-slow           the tests that take longer"
	@echo "make test-nightly        the tests that take minutes of all cores (density functional theory)"
	@echo "make lint                ruff and mypy"
	@echo "make check               compare the tables with the pinned values"
	@echo "make lock                refresh requirements.lock from pyproject.toml"
	@echo "make clean               remove the environment and every regenerated intermediate"

setup: $(READY) $(KERNELS)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	  f"Python 3.11 - 3.13 is needed, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(KERNELS): $(READY) $(wildcard hessbench/potential/ani/native/*.py)
	$(BIN)/hessbench compile
	@touch $@

repro: $(READY) $(KERNELS)
	$(if $(PROFILE),$(BIN)/hessbench profile use $(PROFILE))
	$(BIN)/hessbench profile validate
	$(BIN)/dvc repro
	@echo "tables/ holds the tables and verdicts; \`make check\` compares them with the pinned values"

# compiling the kernels would take longer than all of the work
smoke: export HESSBENCH_BACKEND := torch
smoke: $(READY)
	$(MAKE) repro PROFILE=smoke KERNELS=

verify: export OMP_NUM_THREADS := 1
verify: $(READY)
	$(BIN)/hessbench archive verify $(ARCHIVE)

# worksteal: each process has tests of neighbouring files, which share fixtures, and takes of others' when it is done
test: export OMP_NUM_THREADS := 1
test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal --max-worker-restart 0 -m "not slow and not nightly" \
	  --benchmark-skip --durations 15

test-slow: export OMP_NUM_THREADS := 1
test-slow: $(READY)
	$(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart 0 -m slow --benchmark-skip \
	  --durations 15 -o faulthandler_timeout=1800

test-nightly: $(READY)
	$(BIN)/python -m pytest -m nightly --benchmark-skip -o faulthandler_timeout=7200

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: $(READY)
	$(BIN)/hessbench check

# The CUDA packages that the default torch wheel of Linux brings are torch's own business: they are not pinned,
# so that the same lock serves the CPU wheel.
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --fork-strategy fewest --python-version 3.11 --no-annotate --no-header --quiet \
	  | grep -vE '^(nvidia|cuda|triton)' > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf $(VENV) data/active models results
