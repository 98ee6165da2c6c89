# Each target does its own set-up: make demo, make check after a change, make test. See CONTRIBUTING.md.

VENV    ?= .venv
PYTHON  ?= python3
BIN      = $(VENV)/bin
LIBRARY  = $(VENV)/.libraries
STAMP    = $(VENV)/.installed
TOOLS    = $(VENV)/.tools
TESTED   = $(STAMP) $(TOOLS)
SOURCES  = pyproject.toml $(shell find wasmpack templates -name '*.py' -o -name '*.json' -o -name '*.yaml')
PLUGIN   = tests/plugins/header-append-c.wasm
DEMO     = .demo

# Everything from the package index is pinned and hashed, in constraints/. Where a package has no
# wheel for this platform: make test WHEELS=
WHEELS  ?= --only-binary :all:
LOCKED   = install --quiet --disable-pip-version-check --require-hashes $(WHEELS) -r
OURS     = install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
COMPILE  = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --upgrade --custom-compile-command "make constraints (on $(shell date -u +%F))" pyproject.toml
# Tests wait a third of their time, for timeouts and other processes: two for each core.
WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
OLDEST   = $(VENV)-lowest
PYTEST   = -n $(WORKERS) --dist worksteal
CASES    = tests/unit tests/golden
SPARE    = -p no:xdist -p no:hypothesispytest -p no:logging
QUICK    = not docker and not envoy and not slow

# Processes that tests start are measured too: each finds this variable, and coverage.py's .pth file
# in the environment. The floors only go up: to what is reported, rounded down (2026-11-29: 85 % by the
# quick tests, 97 % by all, lines and branches). Not worth a test of its own: what is left for damaged
# installations, other systems, and processes that are forked or killed where nobody can look.
MEASURED = COVERAGE_PROCESS_START=$(CURDIR)/pyproject.toml COVERAGE_FILE=$(CURDIR)/.coverage
COVERED  = 85
COVERED_BY_ALL = 96

# A run of the tests compiles those that have changed, not all.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo check coverage coverage-all test test-lowest fuzz bless lint hooks generated docs bench constraints clean

## demo: pack a real plugin, check it, and look at the image (no Docker, no registry, no root)
demo: $(STAMP)
	@rm -rf $(DEMO)
	@echo '$$ wasmpack build $(PLUGIN) -t quay.io/me/header-append:v1'
	@WASMPACK_STORE=$(DEMO)/store $(BIN)/wasmpack build $(PLUGIN) -t quay.io/me/header-append:v1
	@echo '$$ wasmpack inspect image quay.io/me/header-append:v1'
	@WASMPACK_STORE=$(DEMO)/store $(BIN)/wasmpack inspect image quay.io/me/header-append:v1

## check: run after each change: linters, and the tests that need neither tools nor time
check: lint
	$(BIN)/pytest -q $(SPARE) $(CASES) -m "$(QUICK) and not command and not stress"

## coverage: how much of the package the quick tests run, with those of the command; at least the floor
coverage: $(TESTED)
	rm -f .coverage .coverage.*
	$(MEASURED) $(BIN)/pytest -q -n $(WORKERS) --dist worksteal $(CASES) -m "$(QUICK)"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=$(COVERED)

## coverage-all: the same of all tests; takes half as long again as make test
coverage-all: $(TESTED)
	rm -f .coverage .coverage.*
	$(MEASURED) $(BIN)/pytest -q $(PYTEST)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=$(COVERED_BY_ALL)

## test: linters, then all tests against the installed wheel
test: lint
	$(BIN)/pytest $(PYTEST)

## test-lowest: with the oldest dependencies that pyproject.toml allows
#  Our own code behaves the same with any of them, which make test covers: here run the tests of
#  what the libraries do for us (YAML, JSON Schema, HTTP, wasmtime, click, Docker).
test-lowest: $(OLDEST)/.installed
	$(OLDEST)/bin/pytest $(PYTEST) -m dependencies tests/unit tests/golden \
	    tests/integration/test_registries.py tests/integration/test_networks.py

## fuzz: the property tests with new inputs, many times as long
fuzz: $(TESTED)
	WASMPACK_FUZZ=$(or $(TIMES),20) $(BIN)/pytest $(PYTEST) tests/unit/test_fuzz_*.py \
	    tests/unit/test_module_reader.py tests/integration/test_git_hostile_files.py

## bless: accept what the commands print now as the golden text; read the diff
bless: $(TESTED)
	WASMPACK_BLESS=1 $(BIN)/pytest -q tests/golden

## lint: ruff, mypy strict, and a check that the generated documents are up to date
lint: $(TESTED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

## hooks: run the hooks of .pre-commit-config.yaml on all files
hooks: $(TESTED)
	$(BIN)/pre-commit run --all-files

generated: $(TESTED)
	@$(BIN)/python docs/generate.py --check

## docs: regenerate the generated documents
docs: $(TESTED)
	$(BIN)/python docs/generate.py

## bench: start-up, inspection, verdicts and registries, as ratios measured side by side
bench: $(TESTED)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group bench
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/verdicts.py
	$(BIN)/python benchmarks/many.py
	$(BIN)/python benchmarks/registry.py --plot docs/registry.svg

## constraints: update the pinned newest dependencies of users and tests, and the oldest allowed
constraints: $(BIN)/python
	$(BIN)/pip install --quiet uv
	$(COMPILE) --group test --group lint --output-file constraints/test.txt
	$(COMPILE) --group build --constraints constraints/test.txt --output-file constraints/run.txt
	$(COMPILE) --group build --group unit --resolution lowest-direct --output-file constraints/lowest.txt

clean:
	rm -rf $(VENV) $(OLDEST) $(DEMO) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(LIBRARY): constraints/run.txt | $(BIN)/python
	$(BIN)/pip $(LOCKED) constraints/run.txt
	@touch $@

$(STAMP): $(LIBRARY) $(SOURCES)
	$(BIN)/pip $(OURS)
	@touch $@

$(TOOLS): constraints/test.txt $(LIBRARY)
	$(BIN)/pip $(LOCKED) constraints/test.txt
	@touch $@

$(OLDEST)/.installed: $(SOURCES) constraints/lowest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip $(LOCKED) constraints/lowest.txt
	$(OLDEST)/bin/pip $(OURS)
	@touch $@
