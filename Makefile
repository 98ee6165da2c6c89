# Two commands do all of their own set-up: `make demo` and `make test`.

VENV    ?= .venv
PYTHON  ?= python3
BIN      = $(VENV)/bin
STAMP    = $(VENV)/.installed
TESTED   = $(VENV)/.tested
SOURCES  = pyproject.toml $(shell find wasmpack templates -name '*.py' -o -name '*.json' -o -name '*.yaml')
PLUGIN   = tests/plugins/header-append-c.wasm
DEMO     = .demo

.PHONY: demo test lint docs check-docs bench clean

## demo: pack a real plugin, check it, and look at the image (no Docker, no registry, no root)
demo: $(STAMP)
	@rm -rf $(DEMO)
	@echo '$$ wasmpack build $(PLUGIN) -t quay.io/me/header-append:v1'
	@WASMPACK_STORE=$(DEMO)/store $(BIN)/wasmpack build $(PLUGIN) -t quay.io/me/header-append:v1
	@echo '$$ wasmpack inspect image quay.io/me/header-append:v1'
	@WASMPACK_STORE=$(DEMO)/store $(BIN)/wasmpack inspect image quay.io/me/header-append:v1

## test: linters, then all tests against the installed wheel
test: lint
	$(BIN)/pytest

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
	$(BIN)/pip install --quiet --group bench
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/verdicts.py
	$(BIN)/python benchmarks/registry.py --plot docs/registry.svg

clean:
	rm -rf $(VENV) $(DEMO) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(STAMP): $(BIN)/python $(SOURCES)
	$(BIN)/pip install --quiet --force-reinstall --no-deps .
	$(BIN)/pip install --quiet .
	@touch $@

$(TESTED): $(STAMP)
	$(BIN)/pip install --quiet --group test --group lint
	@touch $@
