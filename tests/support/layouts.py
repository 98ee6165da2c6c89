"""Images of the tests' own making, as layouts on disk."""

from __future__ import annotations

import io
from pathlib import Path

from agreement import images as i

from support.plugins import PLUGINS
from support.programs import need, run
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.stores.layout import Layout
from wasmpack.stores.verified import VerifiedStream

MANIFEST = """\
schemaVersion: 1
name: header-append
description: appends headers
version: 2.1.0
phase: PreAuthZ
priority: 1000
module: extension.wasm
"""
"""The file of an image for ServiceMeshExtension."""


def old_image(module: bytes = b"", manifest: str = MANIFEST) -> bytes:
    """The layer of an old image."""
    return i.packed(
        ("manifest.yaml", manifest.encode()),
        ("extension.wasm", module or (PLUGINS / "header-append-c.wasm").read_bytes()),
    )


def pushed(name: str, layers: list[tuple[str, bytes]], folder: Path) -> str:
    """An image put into a registry by a second tool."""
    need("skopeo")
    source = put(i.Case("pushed", "", layers, ""), folder)
    tls = "--dest-tls-verify=false"
    run("skopeo", "copy", "--preserve-digests", tls, source, f"docker://{name}")
    return name


def put(case: i.Case, directory: Path) -> str:
    """Write a case as a layout; its place."""
    reader = i.CaseReader(case)
    layout = Layout.create(directory)
    top = reader.get()
    image = reader.get(top.manifests[0]) if isinstance(top, Index) else top
    assert isinstance(image, Manifest)
    for blob in image.blobs:
        data = reader.open_blob(blob).read()
        layout.put_blob(blob, lambda data=data, blob=blob: VerifiedStream(io.BytesIO(data), blob))
    if isinstance(top, Index):
        layout.put_manifest(image, [None])
    layout.put_manifest(top, ["v1"])
    return f"oci:{directory}:v1"
