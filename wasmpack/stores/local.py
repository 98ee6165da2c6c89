"""The local store: one OCI image layout whose names are full image names.

At ``$WASMPACK_STORE``, by default ``${XDG_DATA_HOME:-~/.local/share}/wasmpack/store``. No daemon,
no root. Beside the layout's own files lie the verdicts of images already judged, by digest.
"""

import json
import os
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.findings import Report
from wasmpack.oci.canonical import canonical_json, well_formed
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.reference import Reference
from wasmpack.stores.files import open_regular, write_inside
from wasmpack.stores.layout import Layout
from wasmpack.stores.layout_index import Entry
from wasmpack.version import VERSION

_MAX_VERDICT = 16 * 1024 * 1024
"""Bytes of a report that is read again; a longer one is worked out again."""


def store_path() -> Path:
    """Where the local store is, whether or not it exists yet."""
    if named := os.environ.get("WASMPACK_STORE"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "wasmpack" / "store"


def open_store() -> Layout:
    """The local store, made if it is not there."""
    return Layout.create(store_path())


def has_store() -> bool:
    """Whether there is a local store yet.

    :raises WrongUsage: something else is in its place
    """
    path = store_path()
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


def known_report(digest: Digest) -> Report | None:
    """What this release of wasmpack said of an image before, by the digest of its manifest."""
    try:
        with open_regular(store_path() / _verdict_name(digest)) as file:
            found = json.loads(file.read(_MAX_VERDICT))
        return Report.from_json(found["report"]) if found["wasmpack"] == VERSION else None
    except (OSError, BadArtifact, ValueError, KeyError, TypeError):
        return None


def keep_report(digest: Digest, report: Report) -> None:
    """Remember what all default targets say, for ``push``."""
    value = well_formed({"wasmpack": VERSION, "report": report.as_json()})
    write_inside(store_path(), _verdict_name(digest), [canonical_json(value)])


def _verdict_name(digest: Digest) -> str:
    return f"verdicts/{digest.algorithm}/{digest.hex}.json"
