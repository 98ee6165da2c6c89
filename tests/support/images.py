"""Images for tests of the ways between places, and ways to look at them without our client."""

from __future__ import annotations

import hashlib
import io
import json
import random
from pathlib import Path

from support.registries import RunningRegistry
from support.registries.client import call
from wasmpack.images.variants import BuiltImage, artifact_image
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.layout import Layout
from wasmpack.stores.verified import VerifiedStream

SIZE = 300_000


def image_of(seed: int, size: int = SIZE) -> BuiltImage:
    """An image of random bytes that begin like a module."""
    module = b"\0asm\1\0\0\0" + random.Random(seed).randbytes(size)
    return artifact_image(PluginModule(module), b'{"type":"envoy_proxy"}', {"seed": str(seed)})


def keep(image: BuiltImage, root: Path, name: str) -> None:
    """Put an image into a layout."""
    layout = Layout.create(root)
    for blob in image.manifest.blobs:
        data = image.blobs[blob.digest]
        layout.put_blob(blob, lambda data=data, blob=blob: VerifiedStream(io.BytesIO(data), blob))
    layout.put_manifest(image.manifest, [name])


def put_by_hand(registry: RunningRegistry, repository: str, image: BuiltImage) -> None:
    """Put an image into a registry, as ``v1``, with plain requests."""
    for blob in image.manifest.blobs:
        opened = call("POST", registry, f"{repository}/blobs/uploads/", **_login(registry))
        path = opened.headers["Location"].partition("/v2/")[2]
        data = image.blobs[blob.digest]
        done = call("PUT", registry, f"{path}&digest={blob.digest}", data=data, **_login(registry))
        assert done.status_code == 201
    kind = {"Content-Type": image.manifest.media_type}
    path = f"{repository}/manifests/v1"
    done = call("PUT", registry, path, data=image.manifest.raw, headers=kind, **_login(registry))
    assert done.status_code == 201


def stands_whole(registry: RunningRegistry, repository: str, tag: str, image: BuiltImage) -> bool:
    """Whether the registry holds it, read with plain requests and hashed here."""
    accept = {"Accept": image.manifest.media_type}
    path = f"{repository}/manifests/{tag}"
    answer = call("GET", registry, path, headers=accept, **_login(registry))
    if answer.status_code == 404:
        return False
    assert answer.content == image.manifest.raw, "never a wrong image"
    for blob in image.manifest.blobs:
        path = f"{repository}/blobs/{blob.digest}"
        data = call("GET", registry, path, **_login(registry)).content
        assert hashlib.sha256(data).hexdigest() == blob.digest.hex
    return True


def layout_is_whole(root: Path, name: str, image: BuiltImage) -> bool:
    """Whether a layout on disk names it, read as files; no blob in it may be wrong."""
    index = json.loads((root / "index.json").read_bytes()) if root.exists() else {"manifests": []}
    for path in root.glob("blobs/sha256/*"):
        if not path.name.startswith(".wasmpack-tmp-"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, "never a wrong blob"
    assert not list(root.rglob(".wasmpack-tmp-*")), "nothing half written is left"
    named = [
        row["digest"]
        for row in index["manifests"]
        if row.get("annotations", {}).get("org.opencontainers.image.ref.name") == name
    ]
    assert named in ([], [str(image.manifest.digest)])
    return bool(named)


def _login(registry: RunningRegistry) -> dict[str, object]:
    return {"auth": (registry.username, registry.password)} if registry.username else {}
