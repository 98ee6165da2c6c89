"""From a place on this machine to a registry, validated first."""

from collections.abc import Sequence
from dataclasses import replace

from wasmpack.actions.checks import Checks
from wasmpack.actions.explain import rule_named
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.errors import BadArtifact, Notice
from wasmpack.findings import Report, Verdict
from wasmpack.images.image import Image, variant_of
from wasmpack.images.opening import require_image
from wasmpack.images.transfer import Moved, transfer
from wasmpack.images.variants import BuiltImage, Variant, filesystem_image
from wasmpack.images.writing import Written, registry_writer
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.local import keep_report, known_report
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.session import Session, registry_name
from wasmpack.targets.realm import ADVICE, SINCE, refused_realm


def push_image(
    image: Image,
    destination: Reference | str,
    session: Session | None = None,
    *,
    source: Place | None = None,
    tags: Sequence[str] = (),
    checks: Checks | None = None,
    validate: bool = True,
    fall_back: bool = False,
    dry_run: bool = False,
    force: bool = False,
) -> Written:
    """Push, and compare the registry's digest with ours.

    :param source: where the image comes from: in the same registry, its blobs may be mounted
    :param tags: further tags of the destination
    :param checks: how the image is validated; if they give it nothing, and this store has accepted
        it before, it is not validated again
    :param fall_back: if the registry refuses the manifest's kind, push it as ``compat`` instead
    :param dry_run: send nothing; the result lists what would be sent
    :param force: send everything, whatever the registry has
    :raises RejectedArtifact: validation rejects it
    """
    session = session or Session()
    if isinstance(destination, str):
        destination = Reference.parse(destination)
    destination = destination.with_default_tag()
    manifest = require_image(image)
    report = accepted(image, checks or Checks()) if validate else None
    names = [destination.written_as, *(destination.with_tag(tag).written_as for tag in tags)]
    places = [NamePlace(destination), *(NamePlace(destination.with_tag(tag)) for tag in tags)]
    done = Written(places=tuple(places), image=image, manifest=manifest, report=report)
    if dry_run:
        return replace(done, moved=planned(manifest, destination, names, session, force=force))
    return _sent(done, destination, names, session, source, fall_back=fall_back, force=force)


def accepted(image: Image, checks: Checks) -> Report:
    """Validate an image, unless this store has accepted it and ``checks`` add nothing to that.

    :raises RejectedArtifact: every default target refuses it
    """
    manifest, keep = require_image(image), checks.depend_on_image_alone()
    report = known_report(manifest, rule_named) if keep else None
    if report is None:
        from wasmpack.actions.validate_image import validate_image

        report = validate_image(image, checks)
        if keep:
            keep_report(manifest, report)
    if report.verdict is Verdict.REJECT:
        raise RejectedArtifact(report)
    return report


def _sent(
    done: Written,
    destination: Reference,
    names: Sequence[str | None],
    session: Session,
    source: Place | None,
    *,
    fall_back: bool,
    force: bool,
) -> Written:
    from wasmpack.stores.registry.errors import ManifestDenied, ManifestRefused

    image, manifest = done.image, require_image(done.image)
    mounted = registry_name(source)
    writer = registry_writer(destination, session, manifest.digest, mounted, force=force)
    try:
        moved = transfer(image, manifest, writer, names, session.progress)
    except (ManifestRefused, ManifestDenied) as refused:
        if not fall_back or variant_of(manifest) is not Variant.OCI:
            raise
        session.notice(f"{refused.message}; pushing the compat variant instead")
        image = Image(_as_compat(image, manifest))
        manifest = require_image(image)
        moved = transfer(image, manifest, writer, names, session.progress)
    warn_of_realm(writer.challenge, destination.registry, session.notice)
    return replace(done, image=image, manifest=manifest, moved=moved)


def warn_of_realm(challenge: str, registry: str, notice: Notice) -> None:
    """Warn if meshes will refuse the registry that was just contacted.

    :param challenge: its ``WWW-Authenticate``
    """
    if words := refused_realm(challenge):
        notice(
            f"warning: {SINCE} refuse the registry {registry}, whatever the credentials: "
            f"{words!r}; {ADVICE}"
        )


def planned(
    manifest: Manifest,
    destination: Reference,
    names: Sequence[str | None],
    session: Session,
    *,
    force: bool = False,
) -> tuple[Moved, ...]:
    """The blobs, and last the manifest, that a push would send; nothing is written."""
    writer = registry_writer(destination, session, manifest.digest, force=force)
    there = writer.has_image(manifest, names)

    def row(blob: Descriptor, *, there: bool) -> Moved:
        status = BlobStatus.EXISTS if there else BlobStatus.MISSING
        return Moved(descriptor=blob, status=status)

    blobs = [row(blob, there=writer.has_blob(blob)) for blob in manifest.blobs]
    own = Descriptor.of(manifest.raw, manifest.media_type)
    return (*blobs, row(own, there=there))


def _as_compat(image: Image, manifest: Manifest) -> BuiltImage:
    contents = image.contents
    if contents.module is None:
        raise BadArtifact("the image has no module to build a compat variant from")
    return filesystem_image(contents.module.data, contents.runtime_config, manifest.annotations)
