"""The real plugins, as files and as bytes, and small modules written as text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime

PLUGINS = Path(__file__).parents[1] / "plugins"
CONFIGURATION = '{"first-header": "some-value", "another-header": "another-value"}'
"""The example of the OpenShift documentation's header-append filter."""
NAMES = ("header-append-c.wasm", "header-append-as.wasm", "header-append-go.wasm", "x-wat.wat")

FRAME = """(module
  {imports}
  (memory (export "memory") 1)
  (func (export "{marker}"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  {body})"""


def wat(body: str = "", imports: str = "", marker: str = "proxy_abi_version_0_2_1") -> bytes:
    """A module that every proxy loads, and what a test adds to it."""
    return binary(FRAME.format(imports=imports, body=body, marker=marker))


def binary(text: str) -> bytes:
    """WebAssembly text as it stands, compiled."""
    return bytes(wasmtime.wat2wasm(text))


def built_go_plugin() -> Path:
    """The Go plugin, built if it is not there yet: four megabytes are not kept in git."""
    path = PLUGINS / "header-append-go.wasm"
    if not path.is_file():
        subprocess.run(
            [sys.executable, PLUGINS / "build.py", "go"],
            check=True,
            timeout=600,
            env={**os.environ, "HOME": os.environ.get("HOME", "/")},
        )
    return path


@pytest.fixture(scope="session")
def go_plugin() -> Path:
    """The built Go plugin."""
    return built_go_plugin()


@pytest.fixture(params=NAMES)
def plugin(request: pytest.FixtureRequest, go_plugin: Path) -> Path:
    """Each of the real plugins in turn."""
    return PLUGINS / str(request.param)


def module_bytes(path: Path) -> bytes:
    """What is packed for a plugin file."""
    return binary(path.read_text()) if path.suffix == ".wat" else path.read_bytes()
