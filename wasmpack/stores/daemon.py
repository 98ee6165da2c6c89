"""The local Docker engine's images, as the archives of ``docker save`` and ``docker load``.

The engine keeps files, not manifests: what comes out has another digest than what went in.
"""

import contextlib
import tarfile
import tempfile
from collections.abc import Sequence
from io import BytesIO
from typing import IO

from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WrongUsage
from wasmpack.files.directories import explained
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import JsonValue, canonical_json, find, parse_json
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.reference import Reference
from wasmpack.stores.engine import Engine, ask_engine
from wasmpack.stores.ports import BlobStatus, ImageWriter
from wasmpack.stores.saved import SavedImage, SavedReader
from wasmpack.stores.verified import Body

_LIMIT = 1 << 30
"""Most bytes of an image taken out of the engine."""


class DaemonWriter(ImageWriter):
    """Collects an image and loads it (:class:`wasmpack.stores.ports.ImageWriter`)."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._blobs: dict[Digest, bytes] = {}
        self._manifest: Manifest | None = None

    def has_blob(self, descriptor: Descriptor) -> bool:
        return descriptor.digest in self._blobs

    def put_blob(self, descriptor: Descriptor, body: Body) -> BlobStatus:
        with body() as stream:
            self._blobs[descriptor.digest] = b"".join(stream.chunks())
        return BlobStatus.UPLOADED

    def put_manifest(self, manifest: Manifest | Index, _names: Sequence[str | None]) -> None:
        if (
            isinstance(manifest, Index)
            or manifest.config is None
            or not all(layer.media_type in mt.GZIPPED_TARS for layer in manifest.layers)
        ):
            raise WrongUsage(
                f"docker-daemon:{self._reference}: the Docker engine takes images of file system "
                "layers only",
                hint="--variant docker",
            )
        self._manifest = manifest

    def load(self) -> None:
        """Hand the image to the engine."""
        assert self._manifest, "the manifest is written last"
        manifest, described = self._manifest, self._manifest.config
        assert described, "no manifest is taken without one"
        layers = [f"{layer.digest.hex}.tar.gz" for layer in manifest.layers]
        config = f"{described.digest.hex}.json"
        tags = [f"{self._reference.written or self._reference.name}:{self._reference.tag}"]
        entry = {"Config": config, "RepoTags": tags, "Layers": layers}
        files = {
            "manifest.json": canonical_json([entry]),
            config: self._blobs[described.digest],
            **{
                name: self._blobs[layer.digest]
                for name, layer in zip(layers, manifest.layers, strict=True)
            },
        }
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                for name, content in files.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    tar.addfile(member, BytesIO(content))
            archive.seek(0)
            parsed = parse_json(files[config], "image configuration")
            diff_ids = find(parsed, list, "rootfs", "diff_ids") or []
            ask_engine(lambda engine: _load(engine, archive, tags[0], diff_ids))


class DaemonReader(SavedReader):
    """An image out of the engine, as a Docker manifest made of what it saves."""

    def __init__(self, reference: Reference) -> None:
        """:raises NotFound: no such image."""
        what = f"docker-daemon:{reference}"
        name = f"{reference.written or reference.name}:{reference.tag}"
        with tempfile.TemporaryFile() as archive:
            ask_engine(lambda engine: _save(engine, name, archive))
            archive.seek(0)
            image = SavedImage(archive, what)
        super().__init__(image, what, "daemon")


def _save(engine: Engine, name: str, archive: IO[bytes]) -> None:
    """:raises BadArtifact: an image that is larger than what is taken."""
    total = 0
    for chunk in engine.save(name):
        total += len(chunk)
        if total > _LIMIT:
            raise BadArtifact(f"docker-daemon:{name}: larger than {_LIMIT} bytes")
        with explained(tempfile.gettempdir()):
            archive.write(chunk)


def _load(engine: Engine, archive: IO[bytes], tag: str, diff_ids: list[JsonValue]) -> None:
    """Load, and see that it is there: an engine reports a failure behind a status of 200.

    :raises WasmpackError: another image has that tag, or none
    """
    if error := engine.load(archive):
        raise WasmpackError(f"the Docker engine did not load the image: {error[:300]}")
    layers = None
    with contextlib.suppress(NotFound):
        layers = find(engine.inspect(tag), list, "RootFS", "Layers")
    if layers != diff_ids:
        raise WasmpackError(
            f"the Docker engine reported no error, but has not loaded {tag}",
            hint="docker load of an archive shows what the engine objects to",
        )
