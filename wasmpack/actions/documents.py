"""Reading the YAML and JSON files a user names: files, directories, standard input."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wasmpack.actions.inputs import RESOURCE_SUFFIXES, STDIN, read_file
from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.files.inputs import read_standard_input
from wasmpack.findings import Problem, Rule
from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.reader import MAX_BYTES, Counts, TooMuch, read_counted

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
NOT_YAML = Rule(
    code="WPL000",
    title="a file that is not YAML, with line, column and reason",
    cause="among them a key that is duplicated, of which kubectl silently keeps the last",
    consumer="kubectl, duplicate keys aside",
    example="spec: {phase: AUTHN, phase: AUTHZ}",
    fix="fix it there",
)


def read_document_files(names: Sequence[str]) -> Iterator[Document]:
    """Every document, in the order of the names; of a directory, its files sorted by name.

    :param names: files, directories, ``-`` for standard input
    :raises NotFound: no such file, or a directory without YAML and JSON
    :raises WrongUsage: a directory with a link out of it
    :raises BadArtifact: not YAML: with file, line and reason
    """
    counts = Counts()
    for name in names:
        yield from read_file_documents(name, counts)


def read_or_report(names: Sequence[str]) -> tuple[list[Document], list[Problem]]:
    """As :func:`read_document_files`; what is not YAML becomes a problem and hides no other file.

    :raises NotFound: no such file
    :raises TooMuch: more in all files together than is read
    """
    counts = Counts()
    documents: list[Document] = []
    problems: list[Problem] = []
    for name in (file for given in names for file in _files(given)):
        try:
            documents += read_file_documents(name, counts)
        except TooMuch:
            raise
        except BadArtifact as error:
            problems.append(NOT_YAML.problem(name, error.message, error.hint))
    return documents, problems


def documents_in(data: bytes, name: str) -> tuple[list[Document], list[Problem]]:
    """As :func:`read_or_report`, of bytes that were read already."""
    try:
        return list(read_counted(data, name, Counts())), []
    except TooMuch:
        raise
    except BadArtifact as error:
        return [], [NOT_YAML.problem(name, error.message, error.hint)]


def read_file_documents(name: str, counts: Counts) -> Iterator[Document]:
    """As :func:`read_document_files`, of one name.

    :param counts: of all files together, which are kept together
    """
    if name == STDIN:
        yield from read_counted(read_standard_input(MAX_BYTES), "<stdin>", counts)
        return
    for file in _files(name):
        yield from read_counted(read_file(Path(file), MAX_BYTES), file, counts)


def kustomization_of(source: str) -> str | None:
    """The directory of a file, if Kustomize builds it."""
    directory = Path(source).parent
    found = source not in {"", "<stdin>"} and any(
        (directory / name).is_file() for name in KUSTOMIZATIONS
    )
    return str(directory) if found else None


def _files(name: str) -> list[str]:
    """The file itself, or the files of a directory.

    :raises NotFound: a directory without YAML and JSON
    :raises WrongUsage: a link out of the directory, which may lead to any file that we can read
    """
    path = Path(name)
    if name == STDIN or not path.is_dir():
        return [name]
    files = sorted(
        file for file in path.iterdir() if file.suffix in RESOURCE_SUFFIXES and file.is_file()
    )
    if not files:
        raise NotFound(f"{name}: no {', '.join(RESOURCE_SUFFIXES)} in this directory")
    inside = path.resolve()
    for file in files:
        if file.is_symlink() and not file.resolve().is_relative_to(inside):
            raise WrongUsage(
                f"{file}: a link out of this directory, which is not followed",
                hint="if you mean that file, name it directly",
            )
    return [str(file) for file in files]
