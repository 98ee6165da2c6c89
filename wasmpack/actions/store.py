"""Writing an image just made to wherever it was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from wasmpack.actions.push import warn_of_realm
from wasmpack.actions.transfer import Moved, transfer
from wasmpack.errors import Notice
from wasmpack.findings import Report
from wasmpack.oci.image import Image
from wasmpack.oci.place import DaemonPlace, NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.local import keep_report
from wasmpack.stores.memory import MemoryReader
from wasmpack.stores.places import local_writer, names_at, open_writer
from wasmpack.stores.ports import Progress
from wasmpack.stores.registry.options import RegistryOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where an image goes."""

    tags: Sequence[Reference] = ()
    """Names in the local store."""
    place: Place | None = None
    push: bool = False
    """Every tag to its registry too."""
    load: bool = False
    """Every tag into the Docker engine too."""
    force: bool = False


def store_image(
    image: Image,
    outputs: Outputs,
    registry: RegistryOptions,
    *,
    report: Report | None = None,
    notice: Notice,
    progress: Progress | None = None,
) -> tuple[Moved, ...]:
    """Write the image everywhere it was asked for; returns what was pushed.

    :param report: of all default targets, kept so that ``push`` need not judge again
    :raises WouldOverwrite: another image is in the layout; the local store's tags do move
    """
    reader = MemoryReader(image)
    manifest = image.manifest
    digest = manifest.digest
    if outputs.place is not None:
        with open_writer(
            outputs.place, registry, digest, force=outputs.force, notice=notice
        ) as writer:
            transfer(reader, manifest, writer, names_at(outputs.place))
    if outputs.tags:
        with local_writer() as writer:
            transfer(reader, manifest, writer, [tag.full for tag in outputs.tags])
        if report is not None:
            keep_report(manifest, report)
    for tag in outputs.tags if outputs.load else ():
        place = DaemonPlace(tag.with_default_tag())
        with open_writer(place, registry, digest, force=True, notice=notice) as writer:
            transfer(reader, manifest, writer, names_at(place))
    return _push(image, outputs, registry, notice, progress) if outputs.push else ()


def _push(
    image: Image,
    outputs: Outputs,
    registry: RegistryOptions,
    notice: Notice,
    progress: Progress | None,
) -> tuple[Moved, ...]:
    """Tags of one repository go in one turn."""
    moved: list[Moved] = []
    repositories = {tag.name: tag for tag in outputs.tags}
    for name, tag in repositories.items():
        place = NamePlace(tag.with_default_tag())
        names = [t.with_default_tag().tag for t in outputs.tags if t.name == name]
        digest = image.manifest.digest
        with open_writer(place, registry, digest, force=True, notice=notice) as writer:
            moved += transfer(MemoryReader(image), image.manifest, writer, names, progress)
            warn_of_realm(writer, tag, notice)
        notice(f"pushed {name}: {', '.join(map(str, names))}")
    return tuple(moved)
