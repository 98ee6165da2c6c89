"""``index.json`` of an image layout: which images it names, how they are found, and renamed."""

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound, WouldOverwrite
from wasmpack.files.directories import explained, locked, open_regular, write_inside
from wasmpack.oci.canonical import (
    MAX_JSON,
    Fields,
    JsonObject,
    canonical_json,
    find,
    parse_json_object,
)
from wasmpack.oci.descriptor import REF_NAME, Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest, artifact_type
from wasmpack.oci.media_types import OCI_INDEX
from wasmpack.stores.names import is_called, not_one

INDEX = "index.json"
CONTAINERD_NAME = "io.containerd.image.name"
"""The annotation in which containerd and ``docker save`` write the full name; ref.name is then
its tag alone, which several images may share."""
GetManifest = Callable[[Descriptor], Manifest | Index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of ``index.json``: an image and the name it goes by, if any."""

    name: str | None
    descriptor: Descriptor
    refers: bool = False
    """It has no name and says something of another image, such as a signature."""
    full_name: str | None = None
    """The name that containerd and ``docker save`` write next to the other one, or instead."""

    def is_called(self, wanted: str) -> bool:
        """Whether this name means it."""
        full = self.full_name
        return wanted == self.name or (full is not None and is_called(full, wanted))

    def __str__(self) -> str:
        name = self.full_name or self.name
        return f"{name} {self.descriptor.digest}" if name else str(self.descriptor.digest)


def find_entry(
    entries: Sequence[Entry], name: str | None, digest: Digest | None, where: str
) -> Descriptor:
    """The image of that name; without a name the only one there is; by digest any of them.

    :param where: names the layout in errors
    :raises NotFound: none, or more than one
    """
    if digest is not None:
        found = [entry for entry in entries if entry.descriptor.digest == digest]
    elif name is not None:
        found = [entry for entry in entries if entry.is_called(name)]
    else:
        found = [entry for entry in entries if not entry.refers]
    if len({entry.descriptor.digest for entry in found}) == 1:
        return found[-1].descriptor
    wanted = str(digest) if digest else name
    raise not_one(where, wanted, map(str, found), map(str, entries))


def referring(found: Sequence[Descriptor], get: GetManifest) -> dict[Digest, list[Descriptor]]:
    """Those of a layout's manifests that have a subject, by its digest."""
    rows: dict[Digest, list[Descriptor]] = {}
    for descriptor in {row.digest: row for row in found}.values():
        with contextlib.suppress(NotFound, DigestMismatch, BadArtifact):
            manifest = get(descriptor)
            if manifest.subject is not None:
                rows.setdefault(manifest.subject.digest, []).append(descriptor)
    return rows


def parse_entries(index: JsonObject, get: GetManifest) -> tuple[Entry, ...]:
    """The images that an ``index.json`` names.

    :param get: reads one of its manifests
    """
    return tuple(
        Entry(
            name=_name(value),
            full_name=find(value, str, "annotations", CONTAINERD_NAME),
            descriptor=Descriptor.parse(value, f"index.json: manifests[{n}]"),
            refers=_is_referrer(value, get),
        )
        for n, value in enumerate(_rows(index))
    )


class IndexFile:
    """The ``index.json`` of a layout directory, replaced whole, under a lock."""

    def __init__(self, root: Path, get: GetManifest, *, private: bool) -> None:
        """:param get: reads one of its manifests
        :param private: no other process knows of it, so it needs no locks
        """
        self._root = root
        self._get = get
        self._private = private

    def entries(self) -> tuple[Entry, ...]:
        """As :func:`parse_entries`, in the order of the file."""
        return parse_entries(self.read(), self._get)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Held while it changes."""
        return contextlib.nullcontext() if self._private else locked(self._root)

    def read(self) -> JsonObject:
        """The whole document.

        :raises NotFound: no such file
        """
        path = self._root / INDEX
        with explained(path):
            try:
                with open_regular(path) as file:
                    raw = file.read(MAX_JSON + 1)
            except FileNotFoundError:
                raise NotFound(f"{path}: no OCI image layout here") from None
        return parse_json_object(raw, str(path))

    def name(self, descriptor: Descriptor, names: Sequence[str | None], *, force: bool) -> None:
        """Let names point at a manifest.

        :raises WouldOverwrite: one points at another image, and ``force`` is not given
        """

        def change(rows: list[JsonObject]) -> list[JsonObject]:
            if not force:
                self._refuse_overwrite(rows, names, descriptor.digest)
            kept = [row for row in rows if _name(row) not in names or self._refers(row)]
            return [*kept, *(_row(descriptor, name) for name in names)]

        self._change(change)

    def list_referrer(self, manifest: Manifest | Index) -> None:
        """Name a manifest without a tag, marked as one that refers to another."""
        own = {**manifest.descriptor.as_json(), "artifactType": artifact_type(manifest)}

        def change(rows: list[JsonObject]) -> list[JsonObject]:
            there = any(row.get("digest") == own["digest"] for row in rows)
            return rows if there else [*rows, own]

        self._change(change)

    def untag(self, names: Collection[str]) -> None:
        """Take names away, all at once; the blobs stay until the layout is pruned."""
        gone = frozenset(names)
        self._change(lambda rows: [row for row in rows if _name(row) not in gone])

    def check_names(self, names: Sequence[str | None], digest: Digest) -> None:
        """:raises WouldOverwrite: one of the names belongs to another image."""
        self._refuse_overwrite(_rows(self.read()), names, digest)

    def _refuse_overwrite(
        self, rows: Sequence[JsonObject], names: Sequence[str | None], digest: Digest
    ) -> None:
        for row in rows:
            named = _name(row) in names and not self._refers(row)
            if named and row.get("digest") != str(digest):
                what = _name(row) or "the image without a tag"
                raise WouldOverwrite(
                    f"{self._root}: {what} is another image there ({row.get('digest')})",
                    hint="--force replaces it; another tag keeps both",
                )

    def _refers(self, row: JsonObject) -> bool:
        return _is_referrer(row, self._get)

    def _change(self, change: Callable[[list[JsonObject]], list[JsonObject]]) -> None:
        with self.locked():
            index = self.read()
            index["manifests"] = list(change(_rows(index)))
            write_inside(self._root, INDEX, [canonical_json(index)])


def empty_index() -> bytes:
    """The file of a layout without images."""
    return canonical_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})


def _rows(index: JsonObject) -> list[JsonObject]:
    """An index without images has null there, which is how Go writes an empty list (umoci)."""
    if "manifests" in index and index["manifests"] is None:
        return []
    fields = Fields(index, "index.json", separator=": ")
    rows = fields.rows("manifests", "an array of descriptors")
    return [row for row, _ in rows if isinstance(row, dict)]


def _name(row: JsonObject) -> str | None:
    return find(row, str, "annotations", REF_NAME)


def _is_referrer(row: JsonObject, get: GetManifest) -> bool:
    """Whether it is there for what it says of another image.

    An artifact type alone does not tell: crane writes it for every artifact (image-spec,
    manifest.md, ``subject``). What cannot be read is no image either.
    """
    if _name(row) is not None or find(row, str, "artifactType") is None:
        return False
    try:
        return get(Descriptor.parse(row, "index.json: manifests")).subject is not None
    except (NotFound, DigestMismatch, BadArtifact):
        return True


def _row(descriptor: Descriptor, name: str | None) -> JsonObject:
    value = descriptor.as_json()
    if name is not None:
        value["annotations"] = {REF_NAME: name}
    return value
