"""Reading the YAML and JSON files a user names: files, directories, standard input."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wasmpack.actions.inputs import STDIN, read_file
from wasmpack.errors import BadArtifact, NotFound
from wasmpack.findings import Problem, Severity
from wasmpack.mesh.documents import Document
from wasmpack.mesh.yaml_reader import MAX_BYTES, read_documents

SUFFIXES = (".yaml", ".yml", ".json")


def read_document_files(names: Sequence[str]) -> Iterator[Document]:
    """Every document, in the order of the names; of a directory, its files sorted by name.

    :param names: files, directories, ``-`` for standard input
    :raises NotFound: no such file, or a directory without YAML and JSON
    :raises BadArtifact: not YAML: with file, line and reason
    """
    for name in names:
        yield from read_file_documents(name)


def read_or_report(names: Sequence[str]) -> tuple[list[Document], list[Problem]]:
    """As :func:`read_document_files`; what is not YAML becomes a problem and hides no other file.

    :raises NotFound: no such file
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for name in names:
        try:
            documents += read_file_documents(name)
        except BadArtifact as error:
            problems.append(
                Problem(
                    code="WPL000",
                    severity=Severity.ERROR,
                    where=name,
                    message=error.message,
                    hint=error.hint,
                )
            )
    return documents, problems


def read_file_documents(name: str) -> Iterator[Document]:
    """As :func:`read_document_files`, of one name."""
    if name == STDIN:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        yield from read_documents(raw, "<stdin>")
        return
    path = Path(name)
    if not path.is_dir():
        yield from read_documents(read_file(path, MAX_BYTES), name)
        return
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise NotFound(f"{name}: no {', '.join(SUFFIXES)} in this directory")
    for file in files:
        yield from read_documents(read_file(file, MAX_BYTES), str(file))
