"""Where an image can be: the one grammar of every command ("Places" in the CLI reference).

>>> str(parse_place("quay.io/me/plugin:v1"))
'quay.io/me/plugin:v1'
"""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from wasmpack.errors import WrongUsage
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.reference import Reference, is_tag

_FOREIGN = {
    "docker-archive": "oci-archive",
    "containers-storage": "docker-daemon",
    "oci-layout": "oci",
}
"""Prefixes of containers/image (podman, skopeo) and buildx, and what comes nearest here."""
_SHOWN = 300
"""Characters of a place that is none, in the error."""


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
    """Of the directory, or of the tar file; ``-`` for standard input or output."""
    tag: str | None = None
    """None for the only image in it."""
    digest: Digest | None = None
    """Of an image in it, instead of a tag."""
    prefix: ClassVar[str]
    """What it is written with."""

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


Place = NamePlace | LayoutPlace | ArchivePlace | DaemonPlace


def parse_place(text: str) -> Place:
    """Read any of the forms above.

    >>> wasmpack.parse_place("oci:layout:v1")
    LayoutPlace(path='layout', tag='v1', digest=None)

    An existing directory that holds an OCI layout, and an existing ``.tar`` file, need no prefix.

    :raises WrongUsage: none of the forms fits
    """
    prefix, colon, rest = text.partition(":")
    if text.startswith("docker://"):
        return NamePlace(Reference.parse(text.removeprefix("docker://")), remote=True)
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
    if colon and prefix in _FOREIGN:
        raise WrongUsage(
            f"{text[:_SHOWN]!r}: {prefix}: is a place of other tools",
            hint=f"{_FOREIGN[prefix]}:{rest[:_SHOWN]}",
        )
    return _existing(text) or NamePlace(Reference.parse(text))


def could_be_name(text: str) -> bool:
    """Whether a text is an image name by its grammar, whatever else it may be."""
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
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # ~nobody
        path = path.expanduser()
    is_path = text[:1] in {".", "/", "~"}
    if is_there((path / "oci-layout").is_file) or (is_path and is_there(path.is_dir)):
        return LayoutPlace(text)
    if text.endswith(".tar") and is_there(path.is_file):
        return ArchivePlace(text)
    if is_path and is_there(path.is_file):
        raise WrongUsage(
            f"{text[:_SHOWN]!r} is a file, expected an image",
            hint=f"wasmpack inspect {text[:_SHOWN]}; an archive is oci-archive:{text[:_SHOWN]}",
        )
    if is_path:
        raise WrongUsage(
            f"{text[:_SHOWN]!r} is neither an image name nor an existing layout directory or "
            ".tar file",
            hint=f"oci:{text[:_SHOWN]} names a layout directory that is yet to be made",
        )
    return None


def is_there(test: Callable[[], bool]) -> bool:
    """Whether a file is there; a name that none can have, or that may not be looked at, is not."""
    with contextlib.suppress(OSError, ValueError):
        return test()
    return False


def _split_path(rest: str, text: str) -> tuple[str, str | None, Digest | None]:
    digest = None
    head, at, tail = rest.rpartition("@sha256:")
    if at:
        rest, digest = head, Digest.parse(f"sha256:{tail}")
    path, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        path, colon, tag = rest, "", ""
    if not path:
        raise WrongUsage(f"{text[:_SHOWN]!r} names no path", hint="oci:PATH[:TAG]")
    if not _is_path(path):
        raise WrongUsage(f"{text[:_SHOWN]!r}: no file can have this name", hint="oci:PATH[:TAG]")
    if colon and not is_tag(tag):
        raise WrongUsage(f"{text[:_SHOWN]!r}: {tag[:_SHOWN]!r} is no tag", hint="oci:PATH[:TAG]")
    return path, tag or None, digest


def _is_path(text: str) -> bool:
    """Whether the system can be asked for it: no NUL, and characters that become bytes."""
    with contextlib.suppress(ValueError):
        return b"\0" not in os.fsencode(text)
    return False
