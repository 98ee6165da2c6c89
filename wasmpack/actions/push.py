"""From a place on this machine to a registry, judged first."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from wasmpack.actions.outcome import Outcome
from wasmpack.actions.reading import kept
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.transfer import Moved, transfer
from wasmpack.actions.validate_image import validate_image
from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.findings import Report, Verdict
from wasmpack.oci.image import Image, Variant, filesystem_image, variant_of
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.readers.contents import read_contents
from wasmpack.stores.local import find_local, keep_report, known_report
from wasmpack.stores.memory import MemoryReader
from wasmpack.stores.places import (
    open_reader,
    registry_name,
    registry_writer,
    require_image,
    source_options,
)
from wasmpack.stores.ports import BlobStatus, ImageReader, Notice, Progress
from wasmpack.stores.registry.options import RegistryOptions


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


def check_push(reader: ImageReader, manifest: Manifest, subject: str) -> Report:
    """Judge an image that this store has not judged yet; the report is kept.

    :raises RejectedArtifact: every default target refuses it
    """
    report = known_report(manifest.digest)
    if report is None:
        report = validate_image(reader, subject)
        with contextlib.suppress(WasmpackError):  # a store that cannot be written: judge again
            keep_report(manifest.digest, report)
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
    fall_back: bool = False,
    notice: Notice,
    progress: Progress | None = None,
) -> Outcome:
    """Push, and compare the registry's digest with ours.

    :param tags: further tags of the destination
    :param fall_back: if the registry refuses the manifest's kind, push it as ``compat`` instead
    :raises RejectedArtifact: validation says it cannot work
    """
    from wasmpack.stores.registry.answers import ManifestDenied, ManifestRefused

    reading = source_options(image, NamePlace(destination), options)
    reader = open_pushable(image, reading, notice)
    manifest = require_image(reader.get(), image)
    report = check_push(reader, manifest, str(image)) if validate else None
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
    places = [str(destination), *(str(destination.with_tag(tag)) for tag in tags)]
    return Outcome(references=places, manifest=manifest, moved=moved, report=report)


def plan_push(
    image: Place,
    destination: Reference,
    options: RegistryOptions,
    *,
    validate: bool = True,
    notice: Notice,
) -> Outcome:
    """What a push would send; nothing is written to the registry.

    :raises RejectedArtifact: validation says it cannot work
    """
    reading = source_options(image, NamePlace(destination), options)
    reader = open_pushable(image, reading, notice)
    manifest = require_image(reader.get(), image)
    report = check_push(reader, manifest, str(image)) if validate else None
    writer = registry_writer(destination.with_default_tag(), options, manifest.digest)
    moved = tuple(
        Moved(
            descriptor=blob,
            status=BlobStatus.EXISTS if writer.has_blob(blob) else BlobStatus.UPLOADED,
        )
        for blob in manifest.blobs
    )
    places = [str(destination.with_default_tag())]
    return Outcome(references=places, manifest=manifest, moved=moved, report=report)


def _as_compat(reader: ImageReader, manifest: Manifest) -> Image:
    contents = read_contents(manifest, kept(reader).layers)
    if contents.module is None:
        raise BadArtifact("no module in the image to make a compat variant of")
    return filesystem_image(contents.module, contents.runtime_config, manifest.annotations)
