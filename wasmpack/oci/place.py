"""Places of images: the one grammar of every command ("Places" in the CLI reference).

>>> str(parse_place("quay.io/me/plugin:v1"))
'quay.io/me/plugin:v1'
"""

import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from wasmpack.errors import WrongUsage
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.reference import Reference, is_tag

_SHOWN = 300
"""Characters of an invalid place in the error."""
_MOST_COLONS = 16
"""Colons of a place behind which a name may start."""
_REF_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+/-]{0,511}")
"""The name of an image in a layout (image-spec, annotations.md, ``ref.name``): tags, full names and
versions as ``v1+build``; with the ``_`` of tags."""
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2")
_MODULES = (".wasm", ".wat")
_UNKNOWN = {
    "docker-archive": "oci-archive:{rest} reads archives of docker save too",
    "dir": "skopeo copy dir:{rest} oci:DIRECTORY, then oci:DIRECTORY",
    "containers-storage": "podman save --format oci-archive -o FILE {rest}, then oci-archive:FILE",
    "oci-layout": "oci:{rest}",
    "docker-image": "docker-daemon:{rest}, or docker:{rest} for a registry",
    "ostree": "skopeo copy ostree:{rest} oci:DIRECTORY, then oci:DIRECTORY",
    "sif": "skopeo copy sif:{rest} oci:DIRECTORY, then oci:DIRECTORY",
}
"""Transports of other tools (containers-transports(5), docker buildx), and the way out."""


@dataclass(frozen=True, slots=True)
class NamePlace:
    """An image name: read from the local store, then the registry; ``remote`` skips the store."""

    reference: Reference
    """The name of the image."""
    remote: bool = False
    """In its registry only, whatever the local store holds."""

    def __str__(self) -> str:
        return str(self.reference)


@dataclass(frozen=True, slots=True)
class _PathPlace:
    """A layout in the file system, or one of the images in it."""

    path: str
    """The directory or tar file; ``-`` for standard input or output."""
    tag: str | None = None
    """None for the only image in it."""
    digest: Digest | None = None
    """Digest of an image in it, instead of a tag."""
    prefix: ClassVar[str]
    """The prefix in its written form."""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.prefix}:{self.path}{tag}{digest}"


class LayoutPlace(_PathPlace):
    """An OCI image-layout directory (image-spec, image-layout.md), one of its tags."""

    prefix = "oci"


class ArchivePlace(_PathPlace):
    """The same layout in one tar file."""

    prefix = "oci-archive"


@dataclass(frozen=True, slots=True)
class DaemonPlace:
    """The image store of the local Docker engine."""

    reference: Reference
    """The name of the image in the Docker engine."""

    def __str__(self) -> str:
        return f"docker-daemon:{self.reference}"


STREAM = "-"
"""The path of an archive that is standard input or output."""
Place = NamePlace | LayoutPlace | ArchivePlace | DaemonPlace


def parse_place(text: str) -> Place:
    """Read any of the forms above.

    >>> wasmpack.parse_place("oci:layout:v1")
    LayoutPlace(path='layout', tag='v1', digest=None)

    An existing directory that holds an OCI layout, and an existing archive (``.tar``, ``.tar.gz``),
    need no prefix.

    :raises WrongUsage: none of the forms fits, or the file of a module
    """
    prefix, colon, rest = text.partition(":")
    prefix = prefix.lower()
    if colon and prefix == "docker" and rest.startswith("//"):
        return NamePlace(Reference.parse(rest.removeprefix("//")), remote=True)
    if colon and prefix == "docker-daemon":
        reference = Reference.parse(rest).with_default_tag()
        if reference.digest is not None:
            raise WrongUsage(
                f"{text[:_SHOWN]!r}: the Docker engine knows images by tag, not by digest"
            )
        return DaemonPlace(reference)
    if colon and prefix in {"oci", "oci-archive"} and not rest.startswith("//"):
        path, tag, digest = _split_path(rest, text)
        kind = LayoutPlace if prefix == "oci" else ArchivePlace
        return kind(path, tag, digest)
    if colon and prefix in _UNKNOWN:
        raise WrongUsage(
            f"{text[:_SHOWN]!r}: unknown transport {prefix}:",
            hint=_UNKNOWN[prefix].format(rest=rest[:_SHOWN]),
        )
    if text == STREAM:
        raise WrongUsage("'-' is not an image", hint="oci-archive:- is standard input or output")
    return _existing(text) or NamePlace(Reference.parse(text))


def could_be_name(text: str) -> bool:
    """True if a text is an image name by its grammar, whatever else it may be."""
    try:
        Reference.parse(text)
    except WrongUsage:
        return False
    return ":" not in text.partition("/")[0]


def with_default_tag(place: Place) -> Place:
    """A name without tag and digest means ``latest``."""
    if isinstance(place, NamePlace):
        return replace(place, reference=place.reference.with_default_tag())
    return place


def pinned(place: Place, digest: Digest) -> Place:
    """The same place with the digest that was found or made there.

    The Docker engine writes its own manifests, so our digest would be wrong there.
    """
    if isinstance(place, NamePlace):
        return replace(place, reference=place.reference.with_digest(digest))
    return place if isinstance(place, DaemonPlace) else replace(place, digest=digest)


def _existing(text: str) -> Place | None:
    if not _is_path(text):
        return None
    path = place_path(text)
    is_path = text[:1] in {".", "/", "~"}
    if is_there((path / "oci-layout").is_file) or (is_path and is_there(path.is_dir)):
        return LayoutPlace(text)
    if is_there(path.is_file):
        if text.lower().endswith(ARCHIVES):
            return ArchivePlace(text)
        shown = text[:_SHOWN]
        if text.lower().endswith(_MODULES):
            raise WrongUsage(
                f"{shown!r} is a module, not an image",
                hint=f"wasmpack validate module {shown}, "
                f"or wasmpack build {shown} -t REGISTRY/NAME:TAG",
            )
        if is_path:
            raise WrongUsage(
                f"{shown!r} is a file, expected an image",
                hint=f"wasmpack inspect {shown}; an archive is oci-archive:{shown}",
            )
    if is_path:
        raise WrongUsage(
            f"{text[:_SHOWN]!r} is neither an image name nor an existing layout directory or "
            "archive (.tar, .tar.gz, .tgz)",
            hint=f"oci:{text[:_SHOWN]} for a new layout directory, oci-archive:{text[:_SHOWN]} for "
            "an archive of another name",
        )
    return None


def place_path(text: str) -> Path:
    """The path that a text means, ``~`` expanded."""
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # ~nobody
        path = path.expanduser()
    return path


def is_there(test: Callable[[], bool]) -> bool:
    """True if a file is there; a name that none can have, or that may not be looked at, is not."""
    with contextlib.suppress(OSError, ValueError):
        return test()
    return False


def _split_path(rest: str, text: str) -> tuple[str, str | None, Digest | None]:
    digest = None
    head, at, tail = rest.rpartition("@sha256:")
    if at:
        rest, digest = head, Digest.parse(f"sha256:{tail}")
    path, name = _path_and_name(rest)
    if not path:
        raise WrongUsage(f"{text[:_SHOWN]!r}: no path", hint="oci:PATH[:TAG]")
    if not _is_path(path):
        raise WrongUsage(f"{text[:_SHOWN]!r}: no file can have this name", hint="oci:PATH[:TAG]")
    if name is not None and not (is_tag(name) or _REF_NAME.fullmatch(name)):
        raise WrongUsage(f"{text[:_SHOWN]!r}: invalid tag {name[:_SHOWN]!r}", hint="oci:PATH[:TAG]")
    return path, name, digest


def _path_and_name(rest: str) -> tuple[str, str | None]:
    """Names have colons and slashes, as paths do: the path that is there decides, else a tag."""
    path, *parts = rest.rsplit(":", _MOST_COLONS)
    splits = [(":".join((path, *parts[:n])), ":".join(parts[n:])) for n in range(len(parts))]
    last = [splits.pop()] if splits and "/" not in parts[-1] else []
    for head, name in (*last, (rest, None), *reversed(splits)):
        if head == STREAM or (_is_path(head) and is_there(place_path(head).exists)):
            return head, name
    return last[0] if last else (rest, None)


def _is_path(text: str) -> bool:
    """True if the system can be asked for it: no NUL, and characters that become bytes."""
    with contextlib.suppress(ValueError):
        return b"\0" not in os.fsencode(text)
    return False
