"""``wasmpack build``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.console import json_text
from wasmpack.cli.options import (
    FILE,
    PLACE,
    REFERENCE,
    build_check_options,
    force_option,
    format_option,
    grouped,
    result_console,
)
from wasmpack.cli.preload import early_child, preload
from wasmpack.cli.session_options import moving, registry_options
from wasmpack.errors import Notice, WrongUsage
from wasmpack.files.outputs import check_named, write_named
from wasmpack.oci.place import NamePlace, Place
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.build import BuildOptions, Outputs
    from wasmpack.actions.validate import Checks
    from wasmpack.dry_run.sandbox import Sandbox
    from wasmpack.images.writing import Written

_CONTENT = (
    click.option("-c", "--config", type=FILE,
                 help="runtime-config.json. [default: made from MODULE]"),
    click.option("--variant", type=click.Choice(["oci", "compat", "docker"]), default="oci",
                 show_default=True, help="Format of the image."),
    click.option("--no-runtime-config", is_flag=True, help="Leave it out (compat and docker)."),
    click.option("-a", "--annotation", "annotations", multiple=True,
                 help="KEY=VALUE; overrides git."),
    click.option("--annotation-file", type=FILE, help="JSON object of annotations."),
    click.option("--no-git", is_flag=True, help="No annotations from git."),
    click.option("--created", help="RFC 3339 time, or 'now'. [default: SOURCE_DATE_EPOCH or none]"),
)  # fmt: skip
_OUTPUTS = (
    click.option("-t", "--tag", "tags", type=REFERENCE, multiple=True,
                 help="Name in the local store."),
    click.option("-o", "--output", type=PLACE, help="oci:DIR[:TAG] or oci-archive:FILE[:TAG]."),
    click.option("--push", is_flag=True, help="Push every --tag to its registry."),
    click.option("--load", is_flag=True, help="Load into the Docker engine under every --tag."),
    force_option("another image in a layout or archive"),
)  # fmt: skip


def _build_options(
    config: Path | None, annotations: Sequence[str], annotation_file: Path | None, created: str,
    variant: str, *, no_runtime_config: bool, no_git: bool,
) -> BuildOptions:  # fmt: skip
    from wasmpack.actions.build import BuildOptions
    from wasmpack.actions.inputs import parse_annotation, read_annotations, read_file
    from wasmpack.images.variants import Variant
    from wasmpack.runtime_config import parse_runtime_config

    if config and no_runtime_config:
        raise WrongUsage("--config and --no-runtime-config exclude each other")
    from_file = read_annotations(annotation_file) if annotation_file else {}
    runtime_config = read_file(config) if config else None
    if runtime_config is not None:
        parse_runtime_config(runtime_config, str(config))
    return BuildOptions(
        runtime_config=runtime_config, variant=Variant(variant), use_git=not no_git,
        with_runtime_config=not no_runtime_config, created=created,
        annotations={**from_file, **dict(map(parse_annotation, annotations))},
    )  # fmt: skip


def _outputs(
    tags: Sequence[Reference], output: Place | None, *, push: bool, load: bool, force: bool
) -> Outputs:
    from wasmpack.actions.build import Outputs

    if isinstance(output, NamePlace):
        raise WrongUsage(
            f"-o {output}: expected a layout, an archive or docker-daemon:NAME",
            hint=f"-o oci-archive:{output}"
            if str(output).endswith(".tar")
            else f"-t {output} for the local store, with --push for its registry",
        )
    return Outputs(tags=tags, place=output, push=push, load=load, force=force)


@click.command(epilog="Example: wasmpack build filter.wasm -t quay.io/me/plugin:v1 --push")
@click.argument("module")
@grouped("options", _CONTENT, _build_options)
@grouped("outputs", _OUTPUTS, _outputs)
@build_check_options
@click.option("--dry-run", is_flag=True, help="Check and report, and write nothing.")
@click.option("--metadata-file", type=FILE, help="Write the JSON result to this file.")
@click.option("--digest-file", type=FILE, help="Write the digest to this file.")
@format_option
@registry_options
def build(
    module: str, options: BuildOptions, outputs: Outputs, checks: Checks | None,
    root_ids: tuple[str, ...], dry_run: bool, metadata_file: Path | None, digest_file: Path | None,
    shape: str, session: Session,
) -> None:  # fmt: skip
    """Pack MODULE (.wasm, .wat or -) as an image that the mesh loads, and check it first.

    The module is named plugin.wasm in the image, whatever it was called. Same inputs, same digest.
    Prints NAME@DIGEST.
    """
    from wasmpack.actions import build as actions
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.cli.report import plan_lines, show_written, shown_if_rejected

    console = result_console(outputs.place)
    _check_files(metadata_file, digest_file)
    outputs.check(options.variant)
    with shown_if_rejected(shape, console), _runner(checks, push=outputs.push) as runner:
        plugin = read_module_file(module)
        if runner:
            runner.feed(plugin)
        with moving(session, console, "pushing") as session:
            done = actions.build(
                plugin, options.with_root_ids(root_ids), outputs, session, checks=checks,
                runner=runner, dry_run=dry_run,
            )  # fmt: skip
    if dry_run:
        for line in plan_lines(done.moved) if outputs.push else ["dry run: nothing was written"]:
            console.status(line)
    else:
        _write_files(done, metadata_file, digest_file, console.notice)
    show_written(done, shape, console)


@contextmanager
def _runner(checks: Checks | None, *, push: bool) -> Iterator[Sandbox | None]:
    """The process of the dry run that was started early; and what pushing needs is loaded."""
    from wasmpack.dry_run.sandbox import Sandbox

    if push:
        preload("wasmpack.stores.registry.repository")
    if checks is None:
        yield None
        return
    with Sandbox(early_child()) as runner:
        yield runner


def _check_files(*files: Path | None) -> None:
    """Files that could not be written afterwards."""
    for file in files:
        if file is not None:
            check_named(file)
            if file.suffix in {".wasm", ".wat"}:
                raise WrongUsage(f"{file}: this would overwrite a module")


def _write_files(done: Written, metadata: Path | None, digest: Path | None, notice: Notice) -> None:
    if metadata is not None:
        write_named(metadata, [json_text(done.as_json()).encode(), b"\n"], notice)
    if digest is not None:
        write_named(digest, [str(done.digest).encode(), b"\n"], notice)
