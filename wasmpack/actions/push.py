"""From a place on this machine to a registry, judged first."""

from collections.abc import Sequence
from pathlib import Path

from wasmpack.actions.explain import rule_named
from wasmpack.actions.outcome import Outcome
from wasmpack.actions.reading import kept
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.transfer import Moved, transfer
from wasmpack.actions.validate_image import validate_image
from wasmpack.errors import BadArtifact, NotFound, Notice
from wasmpack.findings import Report, Verdict
from wasmpack.images.contents import read_contents
from wasmpack.module_rules.check import StartUp
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.image import Image, Variant, filesystem_image, variant_of
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.local import find_local, keep_report, known_report
from wasmpack.stores.memory import MemoryReader
from wasmpack.stores.places import (
    open_reader,
    registry_name,
    registry_writer,
    require_image,
    source_options,
)
from wasmpack.stores.ports import BlobStatus, ImageReader, Progress, challenge_of
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.targets.realm import ADVICE, SINCE, refused_realm


def open_pushable(image: Place, options: RegistryOptions, notice: Notice) -> ImageReader:
    """An image that can be pushed: a name means the local store only.

    :raises NotFound: it was not built here
    """
    if isinstance(image, NamePlace):
        reference = image.reference.with_default_tag()
        if find_local(reference) is None:
            hint = f"wasmpack build MODULE -t {reference}, or wasmpack copy between registries"
            if Path(str(image)).is_file():
                hint = f"{image} is a file: wasmpack build {image} -t REGISTRY/NAME:TAG --push"
            raise NotFound(f"{reference}: not in the local store", hint=hint)
    return open_reader(image, options, notice)


def check_push(
    reader: ImageReader, manifest: Manifest, subject: str, start_up: StartUp | None = None
) -> Report:
    """Judge an image that this store has not accepted yet.

    :param start_up: with what the dry run starts the module
    :raises RejectedArtifact: every default target refuses it
    """
    report = known_report(manifest, rule_named)
    if report is None:
        report = validate_image(reader, subject, start_up=start_up)
        keep_report(manifest, report)
    if report.verdict is Verdict.REJECT:
        raise RejectedArtifact(report)
    return report


def push_image(
    image: Place,
    destination: Reference,
    options: RegistryOptions,
    *,
    tags: Sequence[str] = (),
    validate: bool = True,
    start_up: StartUp | None = None,
    fall_back: bool = False,
    notice: Notice,
    progress: Progress | None = None,
) -> Outcome:
    """Push, and compare the registry's digest with ours.

    :param tags: further tags of the destination
    :param start_up: with what the dry run starts the module
    :param fall_back: if the registry refuses the manifest's kind, push it as ``compat`` instead
    :raises RejectedArtifact: validation says it cannot work
    """
    from wasmpack.stores.registry.answers import ManifestDenied, ManifestRefused

    reading = source_options(image, NamePlace(destination), options)
    reader = open_pushable(image, reading, notice)
    manifest = require_image(reader.get(), image)
    report = check_push(reader, manifest, str(image), start_up) if validate else None
    destination = destination.with_default_tag()
    names = [destination.written_as, *(destination.with_tag(tag).written_as for tag in tags)]
    writer = registry_writer(destination, options, manifest.digest, registry_name(image))
    try:
        moved = transfer(reader, manifest, writer, names, progress)
    except (ManifestRefused, ManifestDenied) as refused:
        if not fall_back or variant_of(manifest) is not Variant.OCI:
            raise
        notice(f"{refused.message}; pushing the compat variant instead")
        reader = MemoryReader(_as_compat(reader, manifest))
        manifest = reader.get()
        moved = transfer(reader, manifest, writer, names, progress)
    warn_of_realm(writer, destination, notice)
    places = [str(destination), *(str(destination.with_tag(tag)) for tag in tags)]
    return Outcome(references=places, manifest=manifest, moved=moved, report=report)


def warn_of_realm(asked: object, reference: Reference, notice: Notice) -> None:
    """Say so if meshes will refuse the registry that was just asked.

    :param asked: its reader or writer, or its client
    """
    if words := refused_realm(challenge_of(asked)):
        notice(
            f"warning: {SINCE} refuse the registry {reference.registry}, whatever the credentials: "
            f"{words!r}; {ADVICE}"
        )


def plan_push(
    image: Place,
    destination: Reference,
    options: RegistryOptions,
    *,
    tags: Sequence[str] = (),
    validate: bool = True,
    start_up: StartUp | None = None,
    notice: Notice,
) -> Outcome:
    """What a push would send; nothing is written to the registry.

    :raises RejectedArtifact: validation says it cannot work
    """
    reading = source_options(image, NamePlace(destination), options)
    reader = open_pushable(image, reading, notice)
    manifest = require_image(reader.get(), image)
    report = check_push(reader, manifest, str(image), start_up) if validate else None
    destination = destination.with_default_tag()
    names = [destination.written_as, *(destination.with_tag(tag).written_as for tag in tags)]
    moved = planned(manifest, destination, names, options)
    places = [str(destination), *(str(destination.with_tag(tag)) for tag in tags)]
    return Outcome(references=places, manifest=manifest, moved=moved, report=report)


def planned(
    manifest: Manifest, destination: Reference, names: Sequence[str | None],
    options: RegistryOptions,
) -> tuple[Moved, ...]:  # fmt: skip
    """Which blobs, and last the manifest, a push would send; nothing is written."""
    writer = registry_writer(destination, options, manifest.digest)
    there = writer.has_image(manifest, names)

    def row(blob: Descriptor, *, there: bool) -> Moved:
        status = BlobStatus.EXISTS if there else BlobStatus.MISSING
        return Moved(descriptor=blob, status=status)

    blobs = [row(blob, there=there or writer.has_blob(blob)) for blob in manifest.blobs]
    own = Descriptor.of(manifest.raw, manifest.media_type)
    return (*blobs, row(own, there=there))


def _as_compat(reader: ImageReader, manifest: Manifest) -> Image:
    contents = read_contents(manifest, kept(reader).layers)
    if contents.module is None:
        raise BadArtifact("no module in the image to make a compat variant of")
    return filesystem_image(contents.module, contents.runtime_config, manifest.annotations)
