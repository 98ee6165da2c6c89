"""From a module's bytes to an image; where it is written is :mod:`wasmpack.actions.store`."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from wasmpack.actions.inputs import ModuleInput
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.validate import validate_module
from wasmpack.dry_run.sandbox import IsolatedRunner
from wasmpack.errors import WrongUsage
from wasmpack.fetchers.fetch import fetch
from wasmpack.findings import Problem, Report, Rule, Severity, Verdict
from wasmpack.git.facts import git_annotations
from wasmpack.module_rules.check import Runner, StartUp
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.image import CREATED, Image, Variant, artifact_image, filesystem_image
from wasmpack.oci.manifest import Manifest
from wasmpack.proxy_abi.host_scan import host_scan
from wasmpack.runtime_config import RuntimeConfig, parse_runtime_config
from wasmpack.targets import Target

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_WRITABLE = (Variant.OCI, Variant.COMPAT, Variant.DOCKER)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """Everything that goes into an image: same request, same digest."""

    module: ModuleInput
    runtime_config: bytes | None = None
    """The user's file, in any spelling; None makes one from the module."""
    variant: Variant = Variant.OCI
    with_runtime_config: bool = True
    root_ids: Sequence[str] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Override what git says."""
    use_git: bool = True
    created: str | None = None
    """RFC 3339, or ``now``; else ``SOURCE_DATE_EPOCH``; else the image has no date."""


def check_build(
    request: BuildRequest,
    image: Image | None = None,
    *,
    targets: Sequence[str] = (),
    start_up: StartUp | None = None,
    strict: bool = False,
    runner: Callable[[], Runner] = IsolatedRunner,
) -> Report:
    """Judge what would be packed.

    :param image: what the request makes, if it is made already
    :param runner: where the module is started
    :raises RejectedArtifact: it cannot work
    """
    image = image or build_image(request)
    report = validate_module(
        request.module.data,
        request.module.name,
        targets=targets,
        start_up=start_up,
        strict=strict,
        runtime_config=request.runtime_config,
        runner=runner,
        packed=lambda target: _fetch_problems(image, len(request.module.data), target),
    )
    if report.verdict is Verdict.REJECT:
        raise RejectedArtifact(report)
    return report


def _fetch_problems(image: Image, size: int, target: Target) -> Sequence[Problem]:
    """Why this target's fetcher would not read the image that is about to be made."""
    if target.image is None:
        return ()
    blobs = {str(digest): blob for digest, blob in image.blobs.items()}
    found = fetch(image.manifest, _no_child, lambda d: iter([blobs[str(d.digest)]]), target.image)
    if found.module is not None and len(found.module) < size:
        return [_cut(size, len(found.module))]
    return () if found.not_wasm else found.problems


CUT_MODULE = Rule(
    code="IMG006",
    title="the module is larger than what the fetcher reads of a raw layer, and is silently cut "
    "there",
    severity=Severity.ERROR,
    consumer="Istio since 1.30",
    fix="make it smaller",
)


def _cut(size: int, limit: int) -> Problem:
    return CUT_MODULE.problem(
        "plugin.wasm",
        f"{size} bytes are more than the {limit} the mesh's fetcher reads: cut there, "
        "without a word",
        "strip debug information (wasm-opt --strip-debug), or make the plugin smaller",
    )


def _no_child(_: Descriptor) -> Manifest:
    raise AssertionError("an image, not an index")


def build_image(request: BuildRequest) -> Image:
    """Make the image, in memory.

    :raises BadArtifact: the runtime configuration is wrong
    :raises WrongUsage: a date that is none, options that exclude each other
    """
    config = None
    if request.with_runtime_config:
        config = _runtime_config(request).to_bytes()
    elif request.variant is Variant.OCI:
        raise WrongUsage(
            "the oci variant needs its runtime configuration: the mesh demands two layers",
            hint="--variant compat --no-runtime-config",
        )
    created = _created(request.created)
    annotations = _annotations(request, created)
    if request.variant is Variant.OCI:
        assert config is not None
        return artifact_image(request.module.data, config, annotations)
    assert request.variant in _WRITABLE, request.variant
    mtime = int(created.timestamp()) if created else 0
    if not 0 <= mtime < 1 << 33:
        raise WrongUsage(f"{created.isoformat() if created else mtime}: no time for a tar file")
    return filesystem_image(
        request.module.data,
        config,
        annotations,
        docker=request.variant is Variant.DOCKER,
        mtime=mtime,
    )


def _runtime_config(request: BuildRequest) -> RuntimeConfig:
    if request.runtime_config is None:
        return RuntimeConfig.for_module(host_scan(request.module.data).abi, request.root_ids)
    config = parse_runtime_config(request.runtime_config)
    if request.root_ids:
        from dataclasses import replace

        return replace(config, root_ids=tuple(request.root_ids))
    return config


def _annotations(request: BuildRequest, created: datetime | None) -> dict[str, str]:
    """git's facts, then the date, then what the user says; an empty value removes a key."""
    found: dict[str, str] = {}
    if request.use_git and request.module.path is not None:
        found |= git_annotations(request.module.path.resolve().parent)
    if created is not None:
        found[CREATED] = created.isoformat().replace("+00:00", "Z")
    found |= request.annotations
    return {key: value for key, value in found.items() if value}


def _created(text: str | None) -> datetime | None:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if text == "now":
        return datetime.now(UTC).replace(microsecond=0)
    if text is not None:
        if not _RFC3339.fullmatch(text):
            raise WrongUsage(f"--created {text!r}: expected a time like 2026-11-24T09:30:00Z")
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
