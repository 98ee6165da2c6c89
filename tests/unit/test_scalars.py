"""Plain scalars, against what go-yaml answers.

``data/go_yaml.json`` holds (text, Go type, value) of gopkg.in/yaml.v2 2.4.0, the library behind
``sigs.k8s.io/yaml`` and so behind ``kubectl``; what has no form in JSON stands there as text.
"""

import json
import math
from pathlib import Path

import pytest

from wasmpack.kubeyaml.scalars import reads_as_text, resolve

pytestmark = pytest.mark.dependencies

ANSWERS = json.loads((Path(__file__).parent / "data" / "go_yaml.json").read_text())
TYPES = {"bool": bool, "int": int, "uint64": int, "float64": float, "string": str, "<nil>": None}
NOT_FINITE = {"NaN": math.nan, "+Inf": math.inf, "-Inf": -math.inf}


@pytest.mark.parametrize(("text", "kind", "value"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_read_as_go_yaml_reads_it(text: str, kind: str, value: object) -> None:
    found = resolve(text)
    if TYPES[kind] is None:
        assert found is None
        return
    if kind == "float64":
        value = NOT_FINITE[value] if isinstance(value, str) else float(str(value))
    assert type(found) is TYPES[kind]
    assert found == value or (found != found and value != value)


def test_the_table_is_not_empty() -> None:
    assert len(ANSWERS) >= 100
    assert {row[1] for row in ANSWERS} == set(TYPES)


def test_what_needs_quotes() -> None:
    assert reads_as_text("2001-12-14")
    assert not any(map(reads_as_text, ("yes", "1e3", "0o7", "~", "08")))
