"""``wasmpack build``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from wasmpack.cli.beside import early_child, load_beside
from wasmpack.cli.console import json_text
from wasmpack.cli.options import (
    FILE,
    PLACE,
    REFERENCE,
    dry_run_timeout_option,
    force_option,
    format_option,
    registry_options,
    result_console,
    target_options,
)
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named, write_named
from wasmpack.oci.place import DaemonPlace, NamePlace, Place, pinned
from wasmpack.stores.registry.options import RegistryOptions

if TYPE_CHECKING:
    from wasmpack.actions.build import BuildRequest
    from wasmpack.actions.inputs import ModuleInput
    from wasmpack.actions.outcome import Outcome
    from wasmpack.actions.store import Outputs
    from wasmpack.actions.transfer import Moved
    from wasmpack.cli.console import Console
    from wasmpack.dry_run.sandbox import IsolatedRunner
    from wasmpack.errors import Notice
    from wasmpack.oci.image import Image


@click.command(epilog="Example: wasmpack build filter.wasm -t quay.io/me/plugin:v1 --push")
@click.argument("module")
@click.option("-c", "--config", type=FILE, help="runtime-config.json. [default: made from MODULE]")
@click.option("-t", "--tag", "tags", type=REFERENCE, multiple=True, help="Name in the local store.")
@click.option("-o", "--output", type=PLACE, help="oci:DIR[:TAG] or oci-archive:FILE[:TAG].")
@click.option(
    "--variant",
    type=click.Choice(["oci", "compat", "docker"]),
    default="oci",
    show_default=True,
    help="Format of the image.",
)
@click.option("--no-runtime-config", is_flag=True, help="Leave it out (compat and docker).")
@click.option("--no-validate", is_flag=True, help="Do not check the module.")
@target_options
@dry_run_timeout_option
@click.option("-a", "--annotation", "annotations", multiple=True, help="KEY=VALUE; overrides git.")
@click.option("--annotation-file", type=FILE, help="JSON object of annotations.")
@click.option("--no-git", is_flag=True, help="No annotations from git.")
@click.option("--created", help="RFC 3339 time, or 'now'. [default: SOURCE_DATE_EPOCH or none]")
@click.option("--push", is_flag=True, help="Push every --tag to its registry.")
@click.option("--load", is_flag=True, help="Load into the Docker engine under every --tag.")
@click.option("--dry-run", is_flag=True, help="Check and report, and write nothing.")
@click.option("--metadata-file", type=FILE, help="Write the JSON result to this file.")
@click.option("--digest-file", type=FILE, help="Write the digest to this file.")
@force_option("another image in a layout or archive")
@format_option
@registry_options
def build(module: str, registry: RegistryOptions, **given: Any) -> None:
    """Pack MODULE (.wasm, .wat or -) as an image that the mesh loads, and check it first.

    The module is named plugin.wasm in the image, whatever it was called. Same inputs, same digest.
    Prints NAME@DIGEST.
    """
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.dry_run.sandbox import IsolatedRunner

    _check_options(given)
    if given["push"]:
        load_beside("wasmpack.stores.registry.repository")
    if given["no_validate"]:
        _build(read_module_file(module), registry, given, None)
        return
    with IsolatedRunner(early_child()) as runner:
        data = read_module_file(module)
        runner.feed(data.data)
        _build(data, registry, given, runner)


def _build(
    module: ModuleInput,
    registry: RegistryOptions,
    given: Mapping[str, Any],
    runner: IsolatedRunner | None,
) -> None:
    """Build, and check with what runs beside (none: no check)."""
    from wasmpack.actions.build import build_image, check_build
    from wasmpack.actions.outcome import Outcome
    from wasmpack.actions.store import Outputs, store_image
    from wasmpack.cli.judging import start_up
    from wasmpack.cli.report import show_outcome, shown_if_rejected

    console = result_console(given["output"])
    outputs = Outputs(
        tags=given["tags"], place=_place(given["output"]), push=given["push"],
        load=given["load"], force=given["force"],
    )  # fmt: skip
    _check_outputs(outputs, given["variant"])
    request = _request(module, given)
    image, report = build_image(request), None
    if runner is not None:
        with shown_if_rejected(given["shape"], console):
            report = check_build(
                request, image, targets=given["targets"], strict=given["strict"],
                start_up=start_up(
                    given["plugin_config"], given["root_ids"], seconds=given["dry_run_timeout"]
                ),
                runner=lambda: runner,
            )  # fmt: skip
    if given["dry_run"]:
        moved = _plan(image, outputs, registry, console)
    else:
        kept = None if given["targets"] else report
        with console.moving("pushing") as progress:
            moved = store_image(
                image, outputs, registry, report=kept, notice=console.notice, progress=progress
            )
    places = [NamePlace(tag.with_default_tag()) for tag in outputs.tags]
    everywhere: list[Place] = [*places, *([outputs.place] if outputs.place else [])]
    outcome = Outcome(
        references=[str(place) for place in everywhere], manifest=image.manifest, moved=moved,
        report=report,
    )  # fmt: skip
    if not given["dry_run"]:
        _write_files(given, outcome, console.notice)
    show_outcome(
        outcome, str(pinned(everywhere[0], image.manifest.digest)), given["shape"], console
    )


def _plan(
    image: Image, outputs: Outputs, registry: RegistryOptions, console: Console
) -> tuple[Moved, ...]:
    """What ``--push`` would send; nothing is written anywhere."""
    from wasmpack.actions.push import planned
    from wasmpack.cli.report import plan_lines

    if not outputs.push:
        console.status("dry run: nothing was written")
        return ()
    moved = [
        row
        for tag in {tag.name: tag for tag in outputs.tags}.values()
        for row in planned(
            image.manifest, tag.with_default_tag(),
            [other.with_default_tag().tag for other in outputs.tags if other.name == tag.name],
            registry,
        )
    ]  # fmt: skip
    for line in plan_lines(moved):
        console.status(line)
    return tuple(moved)


def _request(module: ModuleInput, given: Mapping[str, Any]) -> BuildRequest:
    from wasmpack.actions.build import BuildRequest
    from wasmpack.actions.inputs import (
        parse_annotation,
        read_annotations,
        read_file,
    )
    from wasmpack.oci.image import Variant
    from wasmpack.runtime_config import parse_runtime_config

    annotations = read_annotations(given["annotation_file"]) if given["annotation_file"] else {}
    config = read_file(given["config"]) if given["config"] else None
    if config is not None:
        parse_runtime_config(config, str(given["config"]))
    return BuildRequest(
        module=module,
        runtime_config=config,
        variant=Variant(given["variant"]),
        with_runtime_config=not given["no_runtime_config"],
        root_ids=given["root_ids"],
        annotations={**annotations, **dict(map(parse_annotation, given["annotations"]))},
        use_git=not given["no_git"],
        created=given["created"],
    )


def _check_options(given: Mapping[str, Any]) -> None:
    """What excludes each other, and files that could not be written afterwards."""
    if given["no_validate"] and given["strict"]:
        raise WrongUsage("--no-validate and --strict exclude each other")
    if given["config"] and given["no_runtime_config"]:
        raise WrongUsage("--config and --no-runtime-config exclude each other")
    for file in (given["metadata_file"], given["digest_file"]):
        if file is not None:
            check_named(file)
            if file.suffix in {".wasm", ".wat"}:
                raise WrongUsage(f"{file}: this would overwrite a module")


def _check_outputs(outputs: Outputs, variant: str) -> None:
    tags, place = outputs.tags, outputs.place
    if not tags and place is None:
        raise WrongUsage(
            "nothing to write to", hint="-t NAME for the local store, or -o oci:DIR[:TAG]"
        )
    if (outputs.push or outputs.load) and not tags:
        raise WrongUsage(f"--{'push' if outputs.push else 'load'} needs a name", hint="-t NAME")
    if any(tag.digest for tag in tags):
        raise WrongUsage("-t takes a name and a tag, not a digest")
    if variant == "oci" and (outputs.load or isinstance(place, DaemonPlace)):
        raise WrongUsage(
            "the Docker engine takes images of file system layers only", hint="--variant docker"
        )


def _place(output: Place | None) -> Place | None:
    if isinstance(output, NamePlace):
        raise WrongUsage(
            f"-o {output}: expected a layout, an archive or docker-daemon:NAME",
            hint=f"-o oci-archive:{output}"
            if str(output).endswith(".tar")
            else f"-t {output} for the local store, with --push for its registry",
        )
    return output


def _write_files(given: Mapping[str, Any], outcome: Outcome, notice: Notice) -> None:
    metadata, digest = given["metadata_file"], given["digest_file"]
    if metadata is not None:
        write_named(metadata, [json_text(outcome.as_json()).encode(), b"\n"], notice)
    if digest is not None:
        write_named(digest, [str(outcome.manifest.digest).encode(), b"\n"], notice)
