"""The local Docker engine's images, through the docker SDK and ``docker save``/``load`` archives.

The engine keeps files, not manifests: what comes out has another digest than what went in.
"""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import IO, TYPE_CHECKING

from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WrongUsage
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus, ImageReader, ImageWriter
from wasmpack.stores.saved import SavedImage

if TYPE_CHECKING:
    import docker

    from wasmpack.stores.verified import Body, Readable

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
        if isinstance(manifest, Index) or not all(
            layer.media_type in mt.GZIPPED_TARS for layer in manifest.layers
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
        manifest = self._manifest
        layers = [f"{layer.digest.hex}.tar.gz" for layer in manifest.layers]
        config = f"{manifest.config.digest.hex}.json"
        tags = [f"{self._reference.written or self._reference.name}:{self._reference.tag}"]
        entry = {"Config": config, "RepoTags": tags, "Layers": layers}
        files = {
            "manifest.json": canonical_json([entry]),
            config: self._blobs[manifest.config.digest],
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
            with _engine() as client:
                client.images.load(archive)


class DaemonReader(ImageReader):
    """An image out of the engine, as a Docker manifest made of what it saves."""

    source = "daemon"

    def __init__(self, reference: Reference) -> None:
        """:raises NotFound: no such image."""
        self._what = f"docker-daemon:{reference}"
        name = f"{reference.written or reference.name}:{reference.tag}"
        with tempfile.TemporaryFile() as archive:
            _save(name, archive)
            self._image = SavedImage(archive, self._what)

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        manifest = self._image.manifest
        if descriptor is not None and descriptor.digest != manifest.digest:
            raise NotFound(f"{self._what}: no manifest {descriptor.digest}")
        return manifest

    def open_blob(self, descriptor: Descriptor) -> Readable:
        return self._image.open_blob(descriptor)

    def read_at(self, descriptor: Descriptor, offset: int, size: int) -> bytes:
        file = self._image.open_blob(descriptor)
        file.skip(offset)
        return file.read(size)


def _save(name: str, archive: IO[bytes]) -> None:
    """:raises BadArtifact: an image that is larger than what is taken."""
    total = 0
    with _engine() as client:
        for chunk in client.images.get(name).save(named=False):
            total += len(chunk)
            if total > _LIMIT:
                raise BadArtifact(f"docker-daemon:{name}: larger than {_LIMIT} bytes")
            archive.write(chunk)
    archive.seek(0)


@contextlib.contextmanager
def _engine() -> Iterator[docker.DockerClient]:
    """Ask the engine, and say what is wrong when it cannot be asked."""
    import docker

    try:
        client = docker.from_env()
    except docker.errors.DockerException as error:
        raise WasmpackError(
            f"no Docker engine answers: {str(error)[:200]}", hint="start it, or check DOCKER_HOST"
        ) from error
    try:
        yield client
    except docker.errors.ImageNotFound as error:
        raise NotFound(f"the Docker engine has no such image: {error.explanation}") from error
    except docker.errors.DockerException as error:
        raise WasmpackError(f"the Docker engine refused: {str(error)[:300]}") from error
    finally:
        client.close()
