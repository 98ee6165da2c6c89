"""An OCI image layout in one tar file: read in place, written whole."""

import contextlib
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound, WouldOverwrite
from wasmpack.oci.canonical import JsonObject, parse_json_object
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.digest import Digest
from wasmpack.oci.manifest import MAX_MANIFEST, Index, Manifest, parse
from wasmpack.stores.files import TEMPORARY, explained
from wasmpack.stores.layout import Layout, find_entry, parse_entries
from wasmpack.stores.ports import Readable, VerifiedStream

_MAX_MEMBERS = 100_000


class ArchiveReader:
    """One image of an archive (:class:`wasmpack.stores.ports.ImageReader`)."""

    source = "archive"

    def __init__(self, path: Path, tag: str | None, digest: Digest | None = None) -> None:
        """Open the file and find the image.

        :raises NotFound: no such file, or no such image in it
        :raises BadArtifact: no tar, or no image layout in it
        """
        self._path = path
        self._tar, self._members = _open(path)
        index = parse_json_object(self._small("index.json"), f"{path}: index.json")
        self._descriptor = find_entry(parse_entries(index), tag, digest, str(path))

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        descriptor = descriptor or self._descriptor
        with VerifiedStream(self.open_blob(descriptor), descriptor) as stream:
            if descriptor.size > MAX_MANIFEST:
                raise BadArtifact(f"{self._path}: a manifest of {descriptor.size} bytes")
            return parse(b"".join(stream.chunks()), descriptor.media_type)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        digest = descriptor.digest
        member = self._members.get(f"blobs/{digest.algorithm}/{digest.hex}")
        file = self._tar.extractfile(member) if member and member.isreg() else None
        if file is None:
            raise NotFound(f"{self._path}: blob {digest} of the image is missing")
        return file

    def _small(self, name: str) -> bytes:
        member = self._members.get(name)
        file = self._tar.extractfile(member) if member and member.isreg() else None
        if member is None or file is None:
            raise BadArtifact(
                f"{self._path}: no OCI image layout in this tar ({name} is missing)",
                hint="an archive of docker save is none: docker load it and use docker-daemon:NAME",
            )
        if member.size > MAX_MANIFEST:
            raise BadArtifact(f"{self._path}: {name} has {member.size} bytes")
        return file.read()


@contextlib.contextmanager
def archive_layout(path: Path) -> Iterator[Layout]:
    """A layout to fill; when the block ends well, it becomes the tar file, whole.

    The same image gives the same bytes: entries are sorted and carry no time or owner.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        work = tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=path.parent)
    with work as directory:
        layout = Layout.create(Path(directory) / "layout")
        yield layout
        packed = Path(directory) / "archive.tar"
        with explained(path):
            _pack(layout.root, packed)
            packed.replace(path)


def check_archive(path: Path, names: Sequence[str | None], digest: Digest) -> None:
    """:raises WouldOverwrite: the file holds another image."""
    if not path.exists():
        return
    reader: JsonObject | None = None
    with contextlib.suppress(BadArtifact, NotFound):
        tar, members = _open(path)
        with tar:
            file = tar.extractfile(members["index.json"]) if "index.json" in members else None
            reader = parse_json_object(file.read(MAX_MANIFEST), str(path)) if file else None
    held = parse_entries(reader) if reader else ()
    if any(e.name in names and e.descriptor.digest == digest for e in held) and len(held) == 1:
        return
    raise WouldOverwrite(f"{path}: this file is something else", hint="--force replaces it")


def _open(path: Path) -> tuple[tarfile.TarFile, dict[str, tarfile.TarInfo]]:
    try:
        tar = tarfile.open(path, mode="r:")  # noqa: SIM115 - lives as long as the reader
        members: dict[str, tarfile.TarInfo] = {}
        for number, member in enumerate(tar):
            if number > _MAX_MEMBERS:
                raise BadArtifact(f"{path}: more than {_MAX_MEMBERS} entries")
            members.setdefault(member.name.removeprefix("./"), member)
    except FileNotFoundError:
        raise NotFound(f"{path}: no such file") from None
    except (tarfile.TarError, OSError) as error:
        raise BadArtifact(f"{path}: not a readable tar file: {error}") from error
    return tar, members


def _pack(root: Path, target: Path) -> None:
    with tarfile.open(target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)
