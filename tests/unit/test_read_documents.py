"""Files of resources that are read together are kept together, and so bounded together."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wasmpack.actions.documents import read_document_files, read_or_report
from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml import values
from wasmpack.kubeyaml.reader import TooMuch

MANY = b"a: [" + b"1, " * 50 + b"]\n"
ALIASES = b"a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nb: [*a, *a, *a, *a, *a]\n"
OBJECTS = b'[{"a": "\t"}' + b', {"a": 1}' * 40 + b"]"
BROKEN = MANY + b"b: ]\n"


@pytest.mark.parametrize("read", [read_or_report, lambda names: list(read_document_files(names))],
                         ids=["validate", "migrate"])  # fmt: skip
@pytest.mark.parametrize("raw", [MANY, ALIASES, OBJECTS, BROKEN],
                         ids=["values", "aliases", "JSON", "files that are not YAML"])  # fmt: skip
def test_files_that_are_read_together_are_bounded_together(
    raw: bytes, read: Callable[[list[str]], object], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(values, "_MAX_VALUES", 100)
    for name in ("a.yaml", "b.yaml", "c.yaml"):
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(TooMuch if raw is not BROKEN or read is read_or_report else BadArtifact):
        read([str(tmp_path)])


def test_the_bytes_of_all_files_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "MAX_BYTES", 100)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes(b"#" * 60)
    with pytest.raises(TooMuch, match=r"b\.yaml: more than 0 MiB"):
        read_or_report([str(tmp_path)])
