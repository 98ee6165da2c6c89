"""What loading the transport costs, and that it leaves other users of oras-py alone."""

import subprocess
import sys

import pytest

CODE = """
import sys

import pytest
import wasmpack.stores.registry.transport
assert "jsonschema.validators" not in sys.modules, "loaded, though nothing needs it"
import jsonschema, oras.provider
jsonschema.validate(1, {"type": "integer"})
oras.provider.jsonschema.validate(1, {"type": "integer"})
assert "jsonschema.validators" in sys.modules
"""


@pytest.mark.stress
def test_jsonschema_is_loaded_when_somebody_uses_it() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
