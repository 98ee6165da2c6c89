"""From a module to an image, checked and written wherever it was asked for."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self

from wasmpack.actions.checks import Checks
from wasmpack.actions.push import planned, warn_of_realm
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.validate import validate_module
from wasmpack.actions.validate_image import Source, validate_image
from wasmpack.dry_run.sandbox import Sandbox
from wasmpack.errors import WrongUsage
from wasmpack.findings import Report, Verdict
from wasmpack.git.facts import git_annotations
from wasmpack.images.image import Image
from wasmpack.images.transfer import Moved, transfer
from wasmpack.images.variants import CREATED, Variant, artifact_image, filesystem_image
from wasmpack.images.writing import Written, local_writer, open_writer, write_image
from wasmpack.module_rules.check import Runner
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.place import DaemonPlace, NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.runtime_config import RuntimeConfig, parse_runtime_config
from wasmpack.stores.local import keep_report
from wasmpack.stores.session import Session
from wasmpack.wasm.cursor import MAGIC

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_WRITABLE = (Variant.OCI, Variant.COMPAT, Variant.DOCKER)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """Everything but the module that goes into an image: same input, same digest."""

    runtime_config: bytes | None = None
    """The user's file, in any spelling; None makes one from the module."""
    variant: Variant = Variant.OCI
    """The format: ``oci``, ``compat`` or ``docker``."""
    with_runtime_config: bool = True
    """Include a runtime configuration; the ``oci`` variant requires one."""
    root_ids: Sequence[str] = ()
    """Root ids for the runtime configuration, instead of those in the file."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations that override those from git."""
    use_git: bool = True
    """Annotate with revision, source and version of the module's work tree."""
    created: str | None = None
    """RFC 3339 or ``now``; by default ``SOURCE_DATE_EPOCH``; otherwise the image has no date."""

    def with_root_ids(self, root_ids: Sequence[str]) -> Self:
        """The same with these root ids in the runtime configuration."""
        return replace(self, root_ids=root_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The destinations of an image."""

    tags: Sequence[Reference] = ()
    """Names in the local store."""
    place: Place | None = None
    push: bool = False
    """Push every tag to its registry too."""
    load: bool = False
    """Load every tag into the Docker engine too."""
    force: bool = False

    def check(self, variant: Variant) -> None:
        """:raises WrongUsage: no destination, or one that cannot hold this variant."""
        if not self.places:
            raise WrongUsage(
                "nothing to write to", hint="-t NAME for the local store, or -o oci:DIR[:TAG]"
            )
        if (self.push or self.load) and not self.tags:
            option = "push" if self.push else "load"
            raise WrongUsage(f"--{option} needs a name", hint="-t NAME")
        if any(tag.digest for tag in self.tags):
            raise WrongUsage("-t: expected NAME[:TAG], not a digest")
        daemon = self.load or isinstance(self.place, DaemonPlace)
        if variant is Variant.OCI and daemon:
            raise WrongUsage(
                "the Docker engine only accepts images with file system layers",
                hint="--variant docker",
            )

    def check_login(self, session: Session) -> None:
        """:raises WrongUsage: one login, and several registries to push to."""
        registries = sorted({tag.registry for tag in self.tags})
        if self.push and session.writing.has_login and len(registries) > 1:
            raise WrongUsage(
                f"--username and --cert-file are for one registry, not {', '.join(registries)}",
                hint=f"wasmpack login {registries[0]} and so on, or push to one at a time",
            )

    @property
    def places(self) -> tuple[Place, ...]:
        """All places to read the image from later, names first."""
        named = [NamePlace(tag.with_default_tag()) for tag in self.tags]
        return (*named, *([self.place] if self.place else []))

    @property
    def repositories(self) -> Mapping[str, Sequence[Reference]]:
        """The tags by repository: those of one are pushed together."""
        found: dict[str, list[Reference]] = {}
        for tag in self.tags:
            found.setdefault(tag.name, []).append(tag.with_default_tag())
        return found


def build(
    module: PluginModule,
    options: BuildOptions,
    outputs: Outputs,
    session: Session,
    *,
    checks: Checks | None = None,
    runner: Runner | None = None,
    dry_run: bool = False,
) -> Written:
    """Build an image, check it, and write it everywhere it was asked for.

    :param checks: how the image is validated; None to skip that
    :param runner: where the module is started; by default in a new process
    :param dry_run: write nothing; the result lists what a push would send
    :raises RejectedArtifact: validation rejects it
    :raises WouldOverwrite: another image is in the layout; the local store's tags do move
    """
    outputs.check_login(session)
    image = build_image(module, options)
    report = None
    if checks is not None:
        make = Sandbox if runner is None else lambda: runner
        report = check_built(image, module, checks, options.runtime_config, runner=make)
    done = Written(places=outputs.places, image=image, manifest=image.top, report=report)
    if dry_run:
        return replace(done, moved=_planned(image, outputs, session))
    root_ids = options.root_ids if options.with_runtime_config else ()
    keep = report if checks is not None and checks.depend_on_image_alone(root_ids) else None
    return replace(done, moved=write_outputs(image, outputs, session, report=keep))


def check_built(
    image: Image,
    module: PluginModule,
    checks: Checks,
    runtime_config: bytes | None = None,
    *,
    runner: Callable[[], Runner] = Sandbox,
) -> Report:
    """Validate an image that was just built from a module.

    :raises RejectedArtifact: validation rejects it
    """
    if module.data[:4] != MAGIC:  # no fetcher has anything to add
        report = validate_module(module, checks, runtime_config, runner=runner)
    else:
        source = Source(module=module, runtime_config=runtime_config)
        report = validate_image(image, checks, built_of=source, runner=runner)
    if report.verdict is Verdict.REJECT:
        raise RejectedArtifact(report)
    return report


def build_image(module: PluginModule, options: BuildOptions | None = None) -> Image:
    """Build an image in memory.

    >>> options = wasmpack.BuildOptions(variant=wasmpack.Variant.COMPAT, root_ids=["header"])
    >>> built = wasmpack.build_image(module, options)
    >>> built.contents.runtime_config
    b'{"abiVersions":["v0.2.1"],"config":{"rootIds":["header"]},"type":"envoy_proxy"}'

    :raises BadArtifact: the runtime configuration is wrong
    :raises WrongUsage: an invalid date, options that exclude each other
    """
    options = options or BuildOptions()
    config = None
    if options.with_runtime_config:
        config = _runtime_config(module, options).to_bytes()
    elif options.variant is Variant.OCI:
        raise WrongUsage(
            "the oci variant needs a runtime configuration: meshes require two layers",
            hint="--variant compat --no-runtime-config",
        )
    created = _created(options.created)
    annotations = _annotations(module, options, created)
    if options.variant is Variant.OCI:
        assert config is not None
        return Image(artifact_image(module, config, annotations))
    assert options.variant in _WRITABLE, options.variant
    mtime = int(created.timestamp()) if created else 0
    if not 0 <= mtime < 1 << 33:
        raise WrongUsage(
            f"{created.isoformat() if created else mtime}: expected a year from 1970 to 2242"
        )
    built = filesystem_image(
        module.data, config, annotations, docker=options.variant is Variant.DOCKER, mtime=mtime
    )
    return Image(built)


def write_outputs(
    image: Image, outputs: Outputs, session: Session, *, report: Report | None = None
) -> tuple[Moved, ...]:
    """Write an image that was built everywhere it was asked for; returns what was pushed.

    :param report: of all default targets, kept so that ``push`` need not validate again
    """
    manifest = image.top
    assert isinstance(manifest, Manifest)
    quiet = replace(session, progress=None)
    if outputs.place is not None:
        write_image(image, outputs.place, quiet, force=outputs.force)
    if outputs.tags:
        with local_writer() as writer:
            transfer(image, manifest, writer, [tag.full for tag in outputs.tags])
        if report is not None:
            keep_report(manifest, report)
    for tag in outputs.tags if outputs.load else ():
        write_image(image, DaemonPlace(tag.with_default_tag()), quiet, force=True)
    return _push(image, outputs, session) if outputs.push else ()


def _push(image: Image, outputs: Outputs, session: Session) -> tuple[Moved, ...]:
    moved: list[Moved] = []
    manifest = image.top
    assert isinstance(manifest, Manifest)
    for name, tags in outputs.repositories.items():
        names = [tag.tag for tag in tags]
        with open_writer(NamePlace(tags[0]), session, manifest.digest, force=False) as writer:
            moved += transfer(image, manifest, writer, names, session.progress)
            warn_of_realm(writer.challenge, tags[0].registry, session.notice)
        session.notice(f"pushed {name}: {', '.join(map(str, names))}")
    return tuple(moved)


def _planned(image: Image, outputs: Outputs, session: Session) -> tuple[Moved, ...]:
    manifest = image.top
    assert isinstance(manifest, Manifest)
    return tuple(
        row
        for tags in (outputs.repositories.values() if outputs.push else ())
        for row in planned(manifest, tags[0], [tag.tag for tag in tags], session)
    )


def _runtime_config(module: PluginModule, options: BuildOptions) -> RuntimeConfig:
    if options.runtime_config is None:
        return RuntimeConfig.for_module(module.scan.abi, options.root_ids)
    config = parse_runtime_config(options.runtime_config)
    if options.root_ids:
        return replace(config, root_ids=tuple(options.root_ids))
    return config


def _annotations(
    module: PluginModule, options: BuildOptions, created: datetime | None
) -> dict[str, str]:
    """Annotations from git, then the date, then the user's; an empty value removes a key."""
    found: dict[str, str] = {}
    if options.use_git and module.path is not None:
        found |= git_annotations(module.path.resolve().parent)
    if created is not None:
        found[CREATED] = created.isoformat().replace("+00:00", "Z")
    found |= options.annotations
    return {key: value for key, value in found.items() if value}


def _created(text: str | None) -> datetime | None:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if text is not None and text.lower() == "now":
        return datetime.now(UTC).replace(microsecond=0)
    if text is not None:
        if not _RFC3339.fullmatch(text):
            raise WrongUsage(
                f"--created {text!r}: expected a time like 2026-11-24T09:30:00Z",
                hint="--created now, or leave it out for an image without a date",
            )
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise WrongUsage(f"--created {text!r}: {error}") from error
    if epoch:
        try:
            return datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise WrongUsage(f"SOURCE_DATE_EPOCH={epoch!r}: expected whole seconds") from error
    return None
