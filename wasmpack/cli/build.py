"""``wasmpack build``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import CheckOptions, ResultFiles
from wasmpack.cli.command import Section, command, grouped, option
from wasmpack.cli.console import Console, format_option
from wasmpack.cli.options import PLACE, REFERENCE, VARIANTS, exclude, registry_options
from wasmpack.cli.preload import REGISTRY, preload
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.build import BuildOptions, Outputs
    from wasmpack.actions.checks import Checks
    from wasmpack.dry_run.sandbox import Sandbox
    from wasmpack.images.writing import Written
    from wasmpack.proxy_abi.module import PluginModule


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentOptions:
    """Options for the content of the image."""

    config: Path | None = option("Use this runtime-config.json. [default: made from MODULE]", "-c")
    variant: str = option("Set the format of the image.", type=VARIANTS, default="oci")
    no_runtime_config: bool = option("Leave runtime-config.json out (compat and docker).")
    annotations: tuple[str, ...] = option(
        "Add an annotation, over those from git.", "-a", "--annotation", metavar="KEY=VALUE"
    )
    annotation_file: Path | None = option("Read annotations from a JSON object.")
    no_git: bool = option("Leave annotations from git out.")
    created: str | None = option(
        "Set the date, or 'now'. [default: SOURCE_DATE_EPOCH or none]", metavar="RFC3339"
    )

    def build_options(self) -> BuildOptions:
        """Read the given files and return the build options."""
        from wasmpack.actions.build import BuildOptions
        from wasmpack.actions.inputs import parse_annotation, read_annotations, read_file
        from wasmpack.images.variants import Variant
        from wasmpack.runtime_config import parse_runtime_config

        exclude(config=self.config, no_runtime_config=self.no_runtime_config)
        from_file = read_annotations(self.annotation_file) if self.annotation_file else {}
        runtime_config = read_file(self.config) if self.config else None
        if runtime_config is not None:
            parse_runtime_config(runtime_config, str(self.config))
        return BuildOptions(
            runtime_config=runtime_config,
            variant=Variant(self.variant),
            use_git=not self.no_git,
            with_runtime_config=not self.no_runtime_config,
            created=self.created,
            annotations={**from_file, **dict(map(parse_annotation, self.annotations))},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Options for the destinations of the image."""

    tags: tuple[Reference, ...] = option(
        "Name the image in the local store (repeatable).", "-t", "--tag", type=REFERENCE
    )
    output: Place | None = option(
        "Write to oci:DIR[:TAG] or oci-archive:FILE[:TAG].", "-o", type=PLACE
    )
    push: bool = option("Push every --tag to its registry.")
    load: bool = option("Load into the Docker engine under every --tag.")
    force: bool = option("Overwrite another image in a layout or archive.")

    def outputs(self) -> Outputs:
        """Return the outputs; start loading what a push needs in the background.

        :raises WrongUsage: ``-o`` with a name
        """
        from wasmpack.actions.build import Outputs

        if self.push:
            preload(REGISTRY)
        place = self.output
        if isinstance(place, NamePlace):
            raise WrongUsage(
                f"-o {place}: expected a layout, an archive or docker-daemon:NAME",
                hint=f"-o oci-archive:{place}"
                if str(place).endswith(".tar")
                else f"-t {place} for the local store, with --push for its registry",
            )
        return Outputs(
            tags=self.tags, place=place, push=self.push, load=self.load, force=self.force
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildChecks(CheckOptions):
    """How the image is validated, and the root ids for its runtime configuration."""

    no_validate: bool = option("Do not validate the module.")

    def checks_if_wanted(self) -> Checks | None:
        """:raises WrongUsage: options that exclude each other."""
        exclude(no_validate=self.no_validate, strict=self.strict)
        checks = self.checks()
        return None if self.no_validate else checks


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFiles(ResultFiles):
    """Files for what was written, and whether anything is."""

    dry_run: bool = option("Validate and report, but write nothing.")

    def write(self, done: Written, console: Console) -> None:
        """Write those that were asked for, unless nothing was written."""
        if not self.dry_run:
            ResultFiles.write(self, done, console)


@command(
    examples=[
        "wasmpack build filter.wasm -t quay.io/me/plugin:v1 --push",
        "wasmpack build filter.wasm -o oci-archive:plugin.tar:v1 --target ossm-2.6",
    ]
)
@click.argument("module")
@grouped("options", ContentOptions, ContentOptions.build_options, section=Section.IMAGE)
@grouped("outputs", OutputOptions, OutputOptions.outputs, section=Section.OUTPUT)
@grouped(
    "judging",
    BuildChecks,
    only="no_validate targets plugin_config vm_config env root_ids strict dry_run_timeout",
    section=Section.CHECKS,
)
@grouped("files", BuildFiles, section=Section.OUTPUT)
@format_option
@registry_options
def build(
    module: str,
    options: BuildOptions,
    outputs: Outputs,
    judging: BuildChecks,
    files: BuildFiles,
    console: Console,
    session: Session,
) -> None:
    """Pack MODULE as an image that the mesh loads.

    MODULE is a .wasm or .wat file, or -; it is validated first. The module is named plugin.wasm in
    the image, whatever it was called. Same inputs, same digest. Prints NAME@DIGEST.
    """
    from wasmpack.actions import build as actions
    from wasmpack.cli.report import clear_of, show_written

    console = clear_of(outputs.place, console)
    files.check()
    outputs.check(options.variant)
    options, checks = options.with_root_ids(judging.root_ids), judging.checks_if_wanted()
    with console.working(session, "pushing") as session, _read(module, checks) as (plugin, runner):
        done = actions.build(
            plugin, options, outputs, session, checks=checks, runner=runner, dry_run=files.dry_run
        )
    files.write(done, console)
    show_written(done, console, planned=files.dry_run)


@contextmanager
def _read(path: str, checks: Checks | None) -> Iterator[tuple[PluginModule, Sandbox | None]]:
    """The module, and the process of the dry run, which works on it already."""
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.dry_run.sandbox import Sandbox

    if checks is None:
        yield read_module_file(path), None
        return
    with Sandbox() as runner:
        module = read_module_file(path)
        runner.feed(module)
        yield module, runner
