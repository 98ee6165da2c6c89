"""Find the registry image: a named one, one built on this machine, or the official one."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from docker import DockerClient
from docker.errors import BuildError, DockerException, ImageNotFound

from support.registries.model import FIXTURES, RegistryUnavailable

VARIABLE = "WASMPACK_REGISTRY_IMAGE"
OFFICIAL = "registry:2"
LOCAL = "wasmpack-test/registry"
BINARY = "docker-registry"

_LIBRARY = re.compile(r"(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
"""The path on a line of `ldd`; the kernel's own library has none."""


def find_image(engine: DockerClient) -> str:
    """The name of an image that `engine` has when this returns.

    `WASMPACK_REGISTRY_IMAGE`, else a local build of the `docker-registry` on the PATH, else the
    official image. Raises `RegistryUnavailable` when it can be neither pulled nor built, but
    DockerException for a named image: what was asked for must not be replaced in silence.
    """
    if named := os.environ.get(VARIABLE):
        return _have(engine, named)
    try:
        if binary := shutil.which(BINARY):
            return _build(engine, Path(binary))
        return _have(engine, OFFICIAL)
    except BuildError as error:
        raise RegistryUnavailable(f"the registry image cannot be built: {error}") from error
    except DockerException as error:
        raise RegistryUnavailable(f"no registry image: {error}") from error


def build_context(binary: Path) -> bytes:
    """The build context as a tar archive; the same files make the same bytes."""
    files = {
        "Dockerfile": FIXTURES / "Dockerfile",
        "open.yml": FIXTURES / "config" / "open.yml",
        f"rootfs/usr/bin/{BINARY}": binary,
    }
    files |= {f"rootfs{path}": Path(path) for path in _libraries(binary)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, path in sorted(files.items()):
            _add(archive, name, path.read_bytes())
    return buffer.getvalue()


def _have(engine: DockerClient, name: str) -> str:
    try:
        engine.images.get(name)
    except ImageNotFound:
        engine.images.pull(name)
    return name


def _build(engine: DockerClient, binary: Path) -> str:
    """Build the local image, unless the same context has been built before."""
    context = build_context(binary)
    tag = f"{LOCAL}:{hashlib.sha256(context).hexdigest()[:16]}"
    try:
        engine.images.get(tag)
    except ImageNotFound:
        engine.images.build(
            fileobj=io.BytesIO(context), custom_context=True, tag=tag, rm=True, forcerm=True
        )
    return tag


def _libraries(binary: Path) -> list[str]:
    """The loader and the libraries of `binary`, where the loader looks for them."""
    result = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False)
    return _LIBRARY.findall(result.stdout)  # a static binary: status 1 and no path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add one file with nothing of this machine but its bytes."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o755
    archive.addfile(member, io.BytesIO(data))
