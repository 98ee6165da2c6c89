"""Subjects named without their kind: a module, a configuration, resources or an image.

What only images or resources need is loaded when there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.actions.inputs import (
    RESOURCE_SUFFIXES,
    STDIN,
    module_in,
    read_file,
    read_module_file,
)
from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.files.directories import explained
from wasmpack.files.home import expanded
from wasmpack.files.inputs import is_pipe, read_standard_input
from wasmpack.oci.budget import LIMIT
from wasmpack.oci.place import (
    ARCHIVES,
    ArchivePlace,
    DaemonPlace,
    LayoutPlace,
    NamePlace,
    Place,
    is_there,
    parse_place,
)
from wasmpack.oci.reference import is_url
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.wasm.cursor import MAGIC

if TYPE_CHECKING:
    from wasmpack.findings import Problem
    from wasmpack.images.image import Image
    from wasmpack.kubeyaml.documents import Document
    from wasmpack.stores.session import Session

_HEAD = 64 << 10
"""Bytes of a file by which its kind is recognized."""
_TAR_MAGIC = slice(257, 262)
"""``ustar`` (POSIX.1-1988, tar.h)."""
_PLACES = {
    NamePlace: "image in a registry",
    LayoutPlace: "OCI layout",
    ArchivePlace: "OCI archive",
    DaemonPlace: "image in the Docker engine",
}
_FILES = (".wasm", ".wat", *ARCHIVES, *RESOURCE_SUFFIXES)
"""Suffixes of names that mean files, whether or not they exist."""


class SubjectKind(StrEnum):
    """The kind of a subject, as the nouns of the command line call it."""

    MODULE = "module"
    CONFIG = "config"
    RESOURCES = "wasmplugin"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something that a user named, of a known kind."""

    name: str
    """As it was given."""
    kind: SubjectKind
    what: str
    """Its kind, for people."""
    data: bytes | None = None
    """The bytes of a file that can be read only once."""
    place: Place | None = None
    """The place of an image."""

    @property
    def module(self) -> PluginModule:
        """:raises NotFound, BadArtifact: as the file is."""
        return read_module_file(self.name) if self.data is None else module_in(self.data, self.name)

    @property
    def config(self) -> bytes:
        """:raises NotFound: no such file."""
        return read_file(Path(self.name)) if self.data is None else self.data

    @property
    def documents(self) -> tuple[list[Document], list[Problem]]:
        """:raises NotFound: no such file."""
        from wasmpack.actions.documents import documents_in, read_or_report

        if self.data is None:
            return read_or_report([self.name])
        return documents_in(self.data, self.name)

    def image(self, session: Session) -> Image:
        """:raises NotFound: no such image."""
        from wasmpack.images.opening import open_image

        assert self.place is not None, self.name
        return open_image(self.place, session)


def subject_of(kind: SubjectKind) -> Callable[[str], Subject]:
    """Subjects of files whose kind the user named."""
    return lambda name: Subject(name=name, kind=kind, what=kind.value)


def image_subject(place: Place) -> Subject:
    """The subject that an image is."""
    return Subject(name=str(place), kind=SubjectKind.IMAGE, what="image", place=place)


def recognize(text: str, *, remote: bool = False, completed: Callable[[str], str] = str) -> Subject:
    """Find out what a name, a file, a directory or ``-`` is; no network is used.

    :param completed: the full name of an image, if the text is none of the others
    :param remote: a name means its registry, whatever the local store holds
    :raises NotFound: no such file, and the text is not the name of an image
    :raises BadArtifact: a file of none of the kinds
    """
    if text == STDIN:
        return _of_data("<stdin>", read_standard_input(LIMIT))
    path = expanded(text)
    if is_there(path.is_dir):
        return _of_directory(text, path)
    if is_there(path.exists):
        return _of_data(text, read_file(path, LIMIT)) if is_pipe(path) else _of_file(text, path)
    return _of_name(text if names_file(text) else completed(text), remote=remote)


def names_file(text: str) -> bool:
    """True if the text is read as a path or standard input, whether or not that exists."""
    return text == STDIN or text.endswith(_FILES) or is_there(expanded(text).exists)


def _of_directory(text: str, path: Path) -> Subject:
    if is_there((path / "oci-layout").is_file):
        return _of_place(text, LayoutPlace(text))
    with explained(path):
        suffixes = {file.suffix for file in path.iterdir()}
    if suffixes & {*RESOURCE_SUFFIXES}:
        what = "directory of Kubernetes resources"
        return Subject(name=text, kind=SubjectKind.RESOURCES, what=what)
    raise NotFound(
        f"{text}: a directory with neither an OCI layout nor {', '.join(RESOURCE_SUFFIXES)} files",
        hint=f"wasmpack validate {text}/*.wasm, if modules are meant",
    )


def _of_file(text: str, path: Path) -> Subject:
    with explained(path), path.open("rb") as file:
        head = file.read(_HEAD)
    if path.suffix == ".tar" or head[_TAR_MAGIC] == b"ustar":
        return _of_place(text, ArchivePlace(text))
    kind, what = _kind_of(text, head, path.suffix)
    return Subject(name=text, kind=kind, what=what)


def _of_data(name: str, data: bytes) -> Subject:
    kind, what = _kind_of(name, data[:_HEAD], "")
    return Subject(name=name, kind=kind, what=what, data=data)


def _kind_of(name: str, head: bytes, suffix: str) -> tuple[SubjectKind, str]:
    start = head.lstrip()[:1]
    if suffix in {".wasm", ".wat"} or head[:4] == MAGIC or start in {b"(", b";"}:
        return SubjectKind.MODULE, "WebAssembly module"
    if b"apiVersion" in head or suffix in {".yaml", ".yml"}:
        return SubjectKind.RESOURCES, "Kubernetes resources"
    if suffix == ".json" or start == b"{":
        return SubjectKind.CONFIG, "runtime configuration"
    raise BadArtifact(
        f"{name}: expected a module, a runtime configuration, Kubernetes resources or an image",
        hint=f"name the kind, such as: wasmpack validate module {name}",
    )


def _of_place(text: str, place: Place, what: str = "") -> Subject:
    what = what or _PLACES[type(place)]
    return Subject(name=text, kind=SubjectKind.IMAGE, what=what, place=place)


def _of_name(text: str, *, remote: bool) -> Subject:
    try:
        place = parse_place(text)
    except WrongUsage as error:
        if not is_url(text) and (text.endswith(_FILES) or any(sign in text for sign in "*?[")):
            raise NotFound(f"{text}: no such file") from error
        raise
    if not isinstance(place, NamePlace):
        return _of_place(text, place)
    reference = place.reference.with_default_tag()
    if remote or place.remote:
        return _of_place(text, replace(place, remote=True))
    from wasmpack.stores.local import find_local

    if find_local(reference) is not None:
        return _of_place(text, place, "image in the local store")
    if text.endswith(_FILES) and not reference.names_host:
        raise NotFound(f"{text}: no such file")
    if not reference.names_registry:
        raise NotFound(
            f"{text}: no such file, and no image of that name in the local store",
            hint="wasmpack list; or a full name such as quay.io/me/plugin:v1",
        )
    return _of_place(text, place)
