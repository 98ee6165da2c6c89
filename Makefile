# Two commands do all of their own set-up: `make demo` and `make test`.

VENV    ?= .venv
PYTHON  ?= python3
BIN      = $(VENV)/bin
STAMP    = $(VENV)/.installed
TESTED   = $(VENV)/.tested
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
WORKERS ?= auto
OLDEST   = $(VENV)-lowest
QUICK    = tests/unit tests/integration/test_registries.py tests/integration/test_second_readers.py

.PHONY: demo test test-lowest lint docs bench constraints clean

## demo: pack a real plugin, check it, and look at the image (no Docker, no registry, no root)
demo: $(STAMP)
	@rm -rf $(DEMO)
	@echo '$$ wasmpack build $(PLUGIN) -t quay.io/me/header-append:v1'
	@WASMPACK_STORE=$(DEMO)/store $(BIN)/wasmpack build $(PLUGIN) -t quay.io/me/header-append:v1
	@echo '$$ wasmpack inspect image quay.io/me/header-append:v1'
	@WASMPACK_STORE=$(DEMO)/store $(BIN)/wasmpack inspect image quay.io/me/header-append:v1

## test: linters, then all tests against the installed wheel
test: lint
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

## test-lowest: the quick tests with the oldest dependencies that pyproject.toml allows
test-lowest: $(OLDEST)/.installed
	$(OLDEST)/bin/pytest -n $(WORKERS) --dist loadfile $(QUICK)

## lint: ruff, mypy strict, and that the generated documents are fresh
lint: $(TESTED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

## docs: write the generated documents again
docs: $(TESTED)
	$(BIN)/python docs/generate.py

## bench: start-up, inspection, verdicts and registries, as ratios measured side by side
bench: $(TESTED)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group bench
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/verdicts.py
	$(BIN)/python benchmarks/registry.py --plot docs/registry.svg

## constraints: pin the newest dependencies for users and tests again, and the oldest allowed
constraints: $(BIN)/python
	$(BIN)/pip install --quiet uv
	$(COMPILE) --group test --group lint --output-file constraints/test.txt
	$(COMPILE) --group build --constraints constraints/test.txt --output-file constraints/run.txt
	$(COMPILE) --group build --group unit --resolution lowest-direct --output-file constraints/lowest.txt

clean:
	rm -rf $(VENV) $(OLDEST) $(DEMO) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): $(BIN)/python $(SOURCES) constraints/run.txt
	$(BIN)/pip $(LOCKED) constraints/run.txt
	$(BIN)/pip $(OURS)
	@touch $@

$(TESTED): $(STAMP) constraints/test.txt
	$(BIN)/pip $(LOCKED) constraints/test.txt
	@touch $@

$(OLDEST)/.installed: $(SOURCES) constraints/lowest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip $(LOCKED) constraints/lowest.txt
	$(OLDEST)/bin/pip $(OURS)
	@touch $@
