# Every target makes the .venv it needs; a repeat only rebuilds what changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The linters call each other by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
COMPILED := $(wildcard src/ptpfast/_*.pyx src/ptpfast/_*.pxd) setup.py

.PHONY: demo test lint bench bench-quick build clean

demo: build
	$(BIN)/ptpfast demo

test: build
	$(BIN)/python -m pytest

lint: build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cython-lint src/ptpfast/*.pyx src/ptpfast/*.pxd
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest ptpfast._wire ptpfast._sink ptpfast._engine

bench: build
	$(BIN)/python -m bench

bench-quick: build
	$(BIN)/python -m bench --quick

build: $(VENV)/.built

# The environment: once, and again when the dependencies change.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev "setuptools>=77" "Cython>=3.1,<4"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable ".[cli]"
	@touch $@

# The compiled modules: whenever one of their sources is newer.
$(VENV)/.built: $(VENV)/.installed $(COMPILED)
	$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/ptpfast/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
