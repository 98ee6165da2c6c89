"""Layouts as places of images; the local store, one layout whose names are full image names.

At ``$WASMPACK_STORE``, by default ``${XDG_DATA_HOME:-~/.local/share}/wasmpack/store``. No daemon,
no root. Next to the layout's own files lie the reports of images that were accepted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.errors import DigestMismatch, NotFound, WasmpackError, WrongUsage
from wasmpack.files.home import below_home
from wasmpack.files.owned import make_room, read_owned, write_owned
from wasmpack.oci.canonical import canonical_json, well_formed
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.reference import Reference
from wasmpack.redaction import note
from wasmpack.stores.index_json import Entry
from wasmpack.stores.layout import Layout
from wasmpack.stores.ports import BlobStatus, ImageReader, ImageWriter, attached_tags
from wasmpack.stores.session import Session
from wasmpack.stores.verified import Body, Readable, VerifiedStream
from wasmpack.version import VERSION

if TYPE_CHECKING:
    from wasmpack.findings import Report, Rule

_LONGEST_REPORT = 4 << 20
"""Bytes."""


def store_path() -> Path:
    """The path of the local store, whether or not it exists yet.

    :raises NotFound: there is no home directory for it
    """
    if path := _store_path():
        return path
    raise NotFound("no home directory for the local store", hint="export WASMPACK_STORE=DIRECTORY")


def _store_path() -> Path | None:
    if named := os.environ.get("WASMPACK_STORE"):
        return Path(named)
    data = below_home("XDG_DATA_HOME", ".local", "share")
    return data and data / "wasmpack" / "store"


def open_store() -> Layout:
    """The local store, made if it is not there."""
    return Layout.create(store_path())


def has_store() -> bool:
    """True if there is a local store yet.

    :raises WrongUsage: something else is in its place
    """
    path = _store_path()
    if path is None:
        return False
    if path.exists() and not path.is_dir():
        raise WrongUsage(f"{path}: a file, expected the directory of the local store")
    return (path / "index.json").is_file()


def find_local(reference: Reference) -> Descriptor | None:
    """The image of that name in the local store, or None; never makes the store."""
    if not has_store():
        return None
    layout = Layout(store_path())
    if reference.digest is not None:
        return next((e.descriptor for e in names_of(layout, reference)), None)
    try:
        return layout.find(reference.full)
    except NotFound:
        return None


def names_of(layout: Layout, reference: Reference) -> list[Entry]:
    """All entries of this repository that have the reference's digest, whatever their tag."""
    return [
        entry
        for entry in layout.entries()
        if entry.name
        and entry.descriptor.digest == reference.digest
        and Reference.parse(entry.name).name == reference.name
    ]


def known_report(manifest: Manifest, rule_of: Callable[[str], Rule]) -> Report | None:
    """The report of an image that was accepted before, by the same rules.

    :param rule_of: the rule of a code
    """
    from wasmpack.findings import Report

    file = _verdict_file(manifest)
    raw = read_owned(file, _LONGEST_REPORT) if file else None
    try:
        known = None if raw is None else Report.from_json(json.loads(raw), rule_of)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    note(f"verdict of {manifest.digest}: {'not cached' if known is None else 'cached'}")
    return known


def keep_report(manifest: Manifest, report: Report) -> None:
    """Remember what all default targets say of an image, for ``push``.

    A refusal is worked out again each time: it may be due to something that passes.
    """
    from wasmpack.findings import Verdict

    file = _verdict_file(manifest)
    if file and report.verdict is Verdict.ACCEPT and report.complete:
        write_owned(file, canonical_json(well_formed(report.as_json())))


def reports_path() -> Path | None:
    """The directory of reports, whether or not it exists; None without a home for the store."""
    path = _store_path()
    return path and path / "verdicts"


def forget_reports() -> tuple[int, int]:
    """Remove all reports: how many files, how many bytes."""
    path = reports_path()
    return make_room(path, 0) if path else (0, 0)


def _verdict_file(manifest: Manifest) -> Path | None:
    """Named after all that a verdict depends on: the image, as it is served, and the rules."""
    from wasmpack.targets import fingerprint

    path = _store_path()
    if path is None:
        return None
    rules = [str(manifest.digest), manifest.media_type, VERSION, fingerprint(), *_engine()]
    name = hashlib.sha256("\n".join(rules).encode()).hexdigest()
    return path / "verdicts" / f"{name}.json"


def _engine() -> list[str]:
    """The release of wasmtime, by its record of installation; importlib.metadata takes 40 ms."""
    spec = find_spec("wasmtime")
    site = Path(spec.origin).parents[1] if spec and spec.origin else Path()
    return sorted(path.name for path in site.glob("wasmtime-*.dist-info"))


class LayoutReader(ImageReader):
    """One image of a layout or of the local store."""

    def __init__(self, layout: Layout, descriptor: Descriptor, source: str) -> None:
        self._layout = layout
        self._descriptor = descriptor
        self._referrers: dict[Digest, list[Descriptor]] | None = None
        self.source = source

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        return self._layout.get(descriptor or self._descriptor)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return self._layout.open_blob(descriptor)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        return self._layout.read_at(descriptor, offset, size)

    def referrers(self, digest: Digest) -> Sequence[Descriptor]:
        if self._referrers is None:
            self._referrers = self._layout.referrers()
        return self._referrers.get(digest, [])

    def attached(self, digest: Digest) -> Mapping[str, Descriptor]:
        tags = attached_tags(digest)
        found = self._layout.entries()
        return {entry.name: entry.descriptor for entry in found if entry.name in tags}

    def repair(self, descriptor: Descriptor, damage: DigestMismatch) -> bool:
        raise type(damage)(
            f"{self._layout.blob_path(descriptor.digest)} is damaged: {damage.message}",
            hint="build or pull the image again",
        ) from damage


class LocalReader(LayoutReader):
    """One image of the local store, which has a name by which a registry may have it too."""

    def __init__(
        self,
        layout: Layout,
        descriptor: Descriptor,
        reference: Reference,
        session: Session,
    ) -> None:
        super().__init__(layout, descriptor, "local")
        self._reference = reference
        self._session = session

    def repair(self, descriptor: Descriptor, damage: DigestMismatch) -> bool:
        path = self._layout.blob_path(descriptor.digest)
        try:
            from wasmpack.stores.registry.repository import RegistryReader

            registry = RegistryReader(self._reference, self._session.registry, self._session.notice)
            with self._layout.writing():
                self._layout.put_blob(
                    descriptor,
                    lambda: VerifiedStream(registry.open_blob(descriptor), descriptor),
                )
        except WasmpackError as error:
            raise type(damage)(
                f"{path} is damaged: {damage.message}",
                hint=f"build the image again, or pull it: {error.message}",
            ) from error
        self._session.notice(f"{path} was damaged, and is pulled again from {self._reference.name}")
        return True


class LayoutWriter(ImageWriter):
    """Writes into a layout or the local store."""

    def __init__(self, layout: Layout, *, force: bool = True) -> None:
        """:param force: a name that points at another image is moved."""
        self.layout = layout
        self.force = force

    def has_blob(self, descriptor: Descriptor) -> bool:
        return self.layout.has_blob(descriptor)

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        self.layout.put_blob(descriptor, body)
        return BlobStatus.UPLOADED

    def put_manifest(self, manifest: Manifest | Index, names: Sequence[str | None]) -> None:
        self.layout.put_manifest(manifest, names, force=self.force)

    def put_referrer(self, manifest: Manifest | Index) -> None:
        self.layout.index.list_referrer(manifest)
