# Every target makes the .venv it needs; a repeat only rebuilds what changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The linters call each other by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)
COMPILED := $(wildcard src/ptpfast/engine/*.pyx src/ptpfast/engine/*.pxd src/ptpfast/engine/*.h) setup.py

.PHONY: demo test check lint types tool-tests paced bench bench-quick bench-check bench-page contenders fuzz soak crash matrices package wheels docs sanitize build tools clean

demo: $(VENV)/.built
	@echo "make: download from a simulated camera, and compare every byte"
	@$(BIN)/ptpfast demo

# Many tests start Python, which is to find everything compiled, whatever the shell is set to.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/pycache

# The tests mostly wait: six at a time on two cores.
TEST_WORKERS ?= 6
PYTEST = $(BIN)/python -m pytest -n $(TEST_WORKERS)
test: build
	$(PYTEST) -m "not build and not tools and not paced"

# Tests of what is measured in real time: one at a time, as other tests would change what they see.
paced: build
	$(BIN)/python -m pytest -q -n 0 -m paced

# Everything that a change must pass besides `make test`.
check: lint types docs tool-tests paced bench-quick bench-check crash matrices package

# The tests of benchmarks, fuzzing and soak themselves.
tool-tests: build
	$(PYTEST) -q -m tools

lint: build
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/cython-lint src/ptpfast/engine/*.pyx src/ptpfast/engine/*.pxd
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest $(addprefix ptpfast.engine.,wire sink phase framing channel tap)

# How much of the public API has types, as pyright counts; it fetches a program of JavaScript.
types: build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pyright>=1.1.390"
	$(BIN)/python tests/type_completeness.py

# Half an hour to an hour; keeps its numbers and draws the page anew.
bench: build $(VENV)/.contenders
	$(BIN)/python -m bench --append
	$(BIN)/python -m bench page

bench-quick: build $(VENV)/.contenders
	$(BIN)/python -m bench --quick

bench-check: build
	$(BIN)/python -m bench check

bench-page: build
	$(BIN)/python -m bench page

# Hostile bytes and hostile sessions under sanitizers, for so long; fuzz/README.md says more.
FUZZ_SECONDS ?= 60
fuzz: build $(VENV)/.atheris
	$(BIN)/python -m fuzz all --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

# A card through thousands of faults and kills, no longer than so many seconds; soak/README.md says
# more, also of the object of 6 GiB through 50 lost connections.
SOAK_SECONDS ?= 900
soak: build
	$(BIN)/python -m soak all --seconds $(SOAK_SECONDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED))
	$(BIN)/python -m soak drops $(if $(SOAK_SEED),--seed $(SOAK_SEED))

# Killed, full disk and power cut, each at every call that changes the folder: the tests take turns.
crash: build
	THOROUGH=1 $(PYTEST) -q --timeout=1800 tests/faults/test_crash.py

# Every fault in every operation, every pull into every odd folder: `make test` has a tenth of them.
matrices: build
	THOROUGH=1 $(PYTEST) -q -m matrix

# An sdist and a wheel, built and used where there is nothing else of the project.
package: build
	$(BIN)/python -m pytest -q -m build

# A release for this computer in dist/: the sdist, a wheel for each Python here, tried where nothing
# else of the project is, and the bill of materials. docs/releasing.md says more.
wheels: $(VENV)/.dev
	@$(PIP) --group release
	$(BIN)/python packaging/wheels.py

# The documentation as a site in build/site: no warnings, and every link inside it leads somewhere.
docs: $(VENV)/.site
	@rm -rf build/site
	$(BIN)/python -m sphinx -E -W --keep-going -q -b html -c docs -d build/doctrees . build/site
	$(BIN)/python tests/check_site.py build/site
	@echo "make: the documentation is at build/site/index.html"

# The tests that reach the compiled modules, under sanitizers.
sanitize: build
	$(BIN)/python -m fuzz sanitize

# Everything to work on ptpfast: what `demo` needs, and what tests, lint and plots need.
build: $(VENV)/.built $(VENV)/.dev

# What the machine must have is looked for first: pip and the compiler would take a minute to say it.
CC ?= cc
tools:
	@echo "make: look for Python, its venv module and headers, and a C compiler"
	@packaging/missing.sh "$(PYTHON)" "$(CC)"

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
HERE := PTPFAST_UNCOMPILED=1 $(PIP) --no-build-isolation --editable

# What ptpfast runs on and what compiles it: once, and again when the dependencies change.
$(VENV)/.installed: pyproject.toml | tools
	@echo "make: create the environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@echo "make: install what the command ptpfast runs on (numpy, click, rich, zeroconf, starlette, ...), and Cython"
	@$(PIP) "setuptools>=77" "Cython>=3.1,<4"
	@$(HERE) ".[cli,discovery,pick]"
	@touch $@

# What tests, lint and plots need besides.
$(VENV)/.dev: pyproject.toml $(VENV)/.installed
	@echo "make: install what tests, lint and plots need"
	@$(PIP) --upgrade "pip>=25.1"
	@$(HERE) ".[cli,discovery,pick]" --group dev
	@touch $@

# What builds the documentation.
$(VENV)/.site: pyproject.toml $(VENV)/.built $(VENV)/.dev
	@echo "make: install what builds the documentation (Sphinx)"
	@$(PIP) --group site
	@touch $@

# What guides the fuzzer. Where there is none, it goes by chance and says so.
$(VENV)/.atheris: $(VENV)/.dev
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@touch $@

# The compiled modules: whenever one of their sources is newer.
$(VENV)/.built: $(VENV)/.installed $(COMPILED)
	@echo "make: compile the six modules of the engine (20 seconds on two cores)"
	@$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@

contenders: $(VENV)/.contenders

# Programs of others from PyPI: a contender, a client of Sony cameras, libraries that read pictures, and
# servers of S3 and WebDAV, what examples/ need, and what drives a browser.
# Where one has no wheel for this machine, the benchmarks and tests say that it is missing.
$(VENV)/.contenders: $(VENV)/.dev
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "gphoto2>=2.5"
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: "awire>=0.1"
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group files
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group cluster
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group examples
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group remote
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group browser
	@touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info src/ptpfast/engine/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
