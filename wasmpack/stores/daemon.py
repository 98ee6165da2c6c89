"""The local Docker engine's images, through the docker SDK and ``docker save``/``load`` archives.

The engine keeps files, not manifests: what comes out has another digest than what went in.
"""

from __future__ import annotations

import contextlib
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPException
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, TypeVar

from wasmpack.errors import NotFound, WasmpackError, WrongUsage
from wasmpack.files.directories import explained
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json, parse_json_object
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus, ImageReader, ImageWriter
from wasmpack.stores.registry.deadline import Deadline, Overdue, in_time
from wasmpack.stores.saved import SavedImage

if TYPE_CHECKING:
    from wasmpack.stores.verified import Body, Readable

_LIMIT = 1 << 30
"""Most bytes of an image taken out of the engine."""
_ANSWER = 30.0
"""Seconds for the engine to say that it is one."""
_WORK = 600.0
"""Seconds for loading or saving an image."""
_SAID = 300
"""Characters of what it says that are repeated."""
_BROKEN = (OSError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError,
           RecursionError, HTTPException)  # fmt: skip
"""What the SDK, which takes settings and answers as they come, makes of broken ones."""
T = TypeVar("T")


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
            _ask(lambda client: _load(client, archive, tags[0], self._diff_ids()))

    def _diff_ids(self) -> list[str]:
        assert self._manifest
        config = parse_json_object(self._blobs[self._manifest.config.digest], "image configuration")
        rootfs = config.get("rootfs")
        found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        return [str(one) for one in found] if isinstance(found, list) else []


class DaemonReader(ImageReader):
    """An image out of the engine, as a Docker manifest made of what it saves."""

    source = "daemon"

    def __init__(self, reference: Reference) -> None:
        """:raises NotFound: no such image."""
        self._what = f"docker-daemon:{reference}"
        name = f"{reference.written or reference.name}:{reference.tag}"
        with tempfile.TemporaryFile() as archive:
            _ask(lambda client: _save(client, name, archive))
            archive.seek(0)
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


def _save(client: Any, name: str, archive: IO[bytes]) -> None:
    """:raises BadArtifact: an image that is larger than what is taken."""
    found = client.inspect_image(name)["Id"]
    client.most = _LIMIT
    for chunk in client.get_image(found):
        with explained(tempfile.gettempdir()):
            archive.write(chunk)


def _load(client: Any, archive: IO[bytes], tag: str, diff_ids: Sequence[str]) -> None:
    """Load, and see that it is there: an engine reports a failure behind a status of 200.

    :raises WasmpackError: another image has that tag, or none
    """
    import docker

    from wasmpack.stores.engine import ANSWER, PROGRESS

    client.most = PROGRESS
    rows = client.load_image(archive, quiet=True)
    said = [str(row.get("error")) for row in rows if row.get("error")]
    client.most = ANSWER
    if said:
        raise WasmpackError(f"the Docker engine did not load the image: {said[0][:_SAID]}")
    try:
        layers = client.inspect_image(tag)["RootFS"]["Layers"]
    except docker.errors.ImageNotFound:
        layers = None
    if layers != diff_ids:
        raise WasmpackError(
            f"the Docker engine reported no error, but has not loaded {tag}",
            hint="docker load of an archive shows what the engine objects to",
        )


def _ask(work: Callable[[Any], T]) -> T:
    """Let the SDK work, for as long as a deadline allows: its own timeout is for each read alone.

    Its upper layer raises a bare ``Exception`` for some answers, so only the lower one
    is used, which has no types.

    :raises NotFound: the engine has no such image
    :raises WasmpackError: no engine, or one that refuses, fails or does not answer
    """
    from wasmpack.stores.engine import Engine

    with _reported("no Docker engine answers", "start it, or check DOCKER_HOST"):
        client = in_time(Engine.from_environment, Deadline(_ANSWER), Engine.close)
    with contextlib.closing(client), _reported("the Docker engine refused"):
        return in_time(lambda: work(client), Deadline(_WORK), lambda _: None)


@contextlib.contextmanager
def _reported(what: str, hint: str = "") -> Iterator[None]:
    """Turn whatever the SDK raises into an error of ours."""
    import docker
    import urllib3

    try:
        yield
    except docker.errors.ImageNotFound as error:
        said = str(error.explanation)[:_SAID]
        raise NotFound(f"the Docker engine has no such image: {said}") from error
    except Overdue as error:
        raise WasmpackError(f"the Docker engine does not answer: {error}", hint=hint) from error
    except (docker.errors.DockerException, urllib3.exceptions.HTTPError, *_BROKEN) as error:
        raise WasmpackError(f"{what}: {str(error)[:_SAID]}", hint=hint) from error
