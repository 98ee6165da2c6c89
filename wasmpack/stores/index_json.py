"""``index.json`` of an image layout: which images it names, and how they are found in it."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound
from wasmpack.oci.canonical import JsonObject, canonical_json
from wasmpack.oci.descriptor import REF_NAME, Descriptor, Digest
from wasmpack.oci.fields import Fields, find
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.media_types import OCI_INDEX

_SHOWN = 8
"""Names listed in a hint."""
_LONGEST = 160
"""Characters of a name that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of ``index.json``: an image and the name it goes by, if any."""

    name: str | None
    descriptor: Descriptor
    refers: bool = False
    """It has no name and says something of another image, such as a signature."""


def find_entry(
    entries: Sequence[Entry], name: str | None, digest: Digest | None, where: str
) -> Descriptor:
    """The image of that name; without a name the only one there is; by digest any of them.

    :param where: names the layout in errors
    :raises NotFound: none, or without a name more than one
    """
    if digest is not None:
        found = [entry for entry in entries if entry.descriptor.digest == digest]
    else:
        images = [entry for entry in entries if not entry.refers]
        found = [entry for entry in images if name is None or entry.name == name]
    if found and (name is not None or len({entry.descriptor.digest for entry in found}) == 1):
        return found[-1].descriptor
    known = sorted((entry.name or str(entry.descriptor.digest))[:_LONGEST] for entry in entries)
    names = ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "")
    if found:
        raise NotFound(f"{where}: several images", hint=f"choose one of: {names}")
    what = str(digest) if digest else name or "at all"
    raise NotFound(f"{where}: no image {what}", hint=f"there are: {names or 'none'}")


def referring(
    found: Sequence[Descriptor], get: Callable[[Descriptor], Manifest | Index]
) -> dict[Digest, list[Descriptor]]:
    """Those of a layout's manifests that have a subject, by its digest."""
    rows: dict[Digest, list[Descriptor]] = {}
    for descriptor in {row.digest: row for row in found}.values():
        with contextlib.suppress(NotFound, DigestMismatch, BadArtifact):
            manifest = get(descriptor)
            if manifest.subject is not None:
                rows.setdefault(manifest.subject.digest, []).append(descriptor)
    return rows


def parse_entries(index: JsonObject) -> tuple[Entry, ...]:
    """The images that an ``index.json`` names."""
    return tuple(
        Entry(
            name=row_name(value),
            descriptor=Descriptor.parse(value, f"index.json: manifests[{n}]"),
            refers=is_referrer(value),
        )
        for n, value in enumerate(index_rows(index))
    )


def index_rows(index: JsonObject) -> list[JsonObject]:
    """The descriptors, as they stand."""
    fields = Fields(index, "index.json", separator=": ")
    rows = fields.rows("manifests", "an array of descriptors")
    return [row for row, _ in rows if isinstance(row, dict)]


def row_name(value: JsonObject) -> str | None:
    """The name of an image, if it has one."""
    return find(value, str, "annotations", REF_NAME)


def is_referrer(value: JsonObject) -> bool:
    """Whether it is there for what it says of another image."""
    return row_name(value) is None and find(value, str, "artifactType") is not None


def index_row(descriptor: Descriptor, name: str | None) -> JsonObject:
    """One line of it."""
    value = descriptor.as_json()
    if name is not None:
        value["annotations"] = {REF_NAME: name}
    return value


def index_json(manifests: list[JsonObject]) -> bytes:
    """The file."""
    return canonical_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests})
