"""The local store: one OCI image layout whose names are full image names.

At ``$WASMPACK_STORE``, by default ``${XDG_DATA_HOME:-~/.local/share}/wasmpack/store``. No daemon,
no root. Beside the layout's own files lie the verdicts of images already judged, by digest.
"""

import json
import os
from pathlib import Path

from wasmpack.errors import NotFound
from wasmpack.findings import Verdict
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.reference import Reference
from wasmpack.stores.files import explained, write_whole
from wasmpack.stores.layout import Layout
from wasmpack.version import VERSION


def store_path() -> Path:
    """Where the local store is, whether or not it exists yet."""
    if named := os.environ.get("WASMPACK_STORE"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "wasmpack" / "store"


def open_store() -> Layout:
    """The local store, made if it is not there."""
    return Layout.create(store_path())


def find_local(reference: Reference) -> Descriptor | None:
    """The image of that name in the local store, or None; never makes the store."""
    if not (store_path() / "index.json").is_file():
        return None
    name = None if reference.digest and not reference.tag else reference.full
    try:
        return Layout(store_path()).find(name, reference.digest)
    except NotFound:
        return None


def known_verdict(digest: Digest) -> Verdict | None:
    """What this release of wasmpack said of an image before, by the digest of its manifest."""
    try:
        found = json.loads(_verdict_file(digest).read_bytes())
        return Verdict(found["verdict"]) if found["wasmpack"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep_verdict(digest: Digest, verdict: Verdict) -> None:
    """Remember it for ``push``."""
    path = _verdict_file(digest)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, [canonical_json({"wasmpack": VERSION, "verdict": verdict.value})])


def _verdict_file(digest: Digest) -> Path:
    return store_path() / "verdicts" / digest.algorithm / f"{digest.hex}.json"
