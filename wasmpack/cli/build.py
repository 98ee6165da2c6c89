"""``wasmpack build``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasmpack.cli.console import Console
from wasmpack.cli.options import (
    FILE,
    PLACE,
    REFERENCE,
    current_console,
    force_option,
    format_option,
    registry_options,
    target_options,
)
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import DaemonPlace, NamePlace, Place, pinned
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.options import RegistryOptions

if TYPE_CHECKING:
    from wasmpack.actions.build import BuildRequest
    from wasmpack.actions.transfer import Moved
    from wasmpack.findings import Report
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
@click.option("-a", "--annotation", "annotations", multiple=True, help="KEY=VALUE; overrides git.")
@click.option("--annotation-file", type=FILE, help="JSON object of annotations.")
@click.option("--no-git", is_flag=True, help="No annotations from git.")
@click.option("--created", help="RFC 3339 time, or 'now'. [default: SOURCE_DATE_EPOCH or none]")
@click.option("--push", is_flag=True, help="Push every --tag to its registry.")
@click.option("--load", is_flag=True, help="Load into the Docker engine under every --tag.")
@click.option("--metadata-file", type=FILE, help="Write the JSON result to this file.")
@click.option("--digest-file", type=FILE, help="Write the digest to this file.")
@force_option
@format_option
@registry_options
def build(module: str, registry: RegistryOptions, **given: Any) -> None:
    """Pack MODULE (.wasm, .wat or -) as an image that the mesh loads, and check it first.

    The module is named plugin.wasm in the image, whatever it was called. Same inputs, same digest.
    Prints NAME@DIGEST.
    """
    from wasmpack.actions.build import build_image
    from wasmpack.actions.store import Outputs, store_image

    if given["no_validate"] and given["strict"]:
        raise WrongUsage("--no-validate and --strict exclude each other")
    console = current_console()
    outputs = Outputs(
        tags=given["tags"], place=_place(given["output"]), push=given["push"],
        load=given["load"], force=given["force"],
    )  # fmt: skip
    _check_outputs(outputs.tags, outputs.place, push=outputs.push, load=outputs.load)
    request = _request(module, given)
    report = _judge(request, given, console)
    image = build_image(request)
    with console.moving("pushing", image.size if outputs.push else 0) as advance:
        moved = store_image(
            image, outputs, registry, verdict=None if report is None or given["targets"] else
            report.verdict, notice=console.status, advance=advance,
        )  # fmt: skip
    first: Place = NamePlace(outputs.tags[0]) if outputs.tags else given["output"]
    name = pinned(_tagged(first), image.manifest.digest)
    value = _json(str(_tagged(first)), image, moved, report, request.variant.value)
    _write_files(given, value, str(image.manifest.digest))
    console.json(value) if given["shape"] == "json" else console.result(str(name))


def _request(module: str, given: Mapping[str, Any]) -> BuildRequest:
    from wasmpack.actions.build import BuildRequest
    from wasmpack.actions.inputs import (
        parse_annotation,
        read_annotations,
        read_file,
        read_module_file,
    )
    from wasmpack.oci.image import Variant
    from wasmpack.runtime_config import parse_runtime_config

    annotations = read_annotations(given["annotation_file"]) if given["annotation_file"] else {}
    config = read_file(given["config"]) if given["config"] else None
    if config is not None:
        parse_runtime_config(config, str(given["config"]))
    return BuildRequest(
        module=read_module_file(module),
        runtime_config=config,
        variant=Variant(given["variant"]),
        with_runtime_config=not given["no_runtime_config"],
        root_ids=given["root_ids"],
        annotations={**annotations, **dict(map(parse_annotation, given["annotations"]))},
        use_git=not given["no_git"],
        created=given["created"],
    )


def _judge(request: BuildRequest, given: Mapping[str, Any], console: Console) -> Report | None:
    from wasmpack.actions.build import check_build
    from wasmpack.cli.judging import start_up
    from wasmpack.cli.report import finding_lines

    if given["no_validate"]:
        return None
    report = check_build(
        request,
        targets=given["targets"],
        start_up=start_up(given["plugin_config"], given["root_ids"]),
        strict=given["strict"],
    )
    for finding in report.findings:
        for line in finding_lines(finding, console.err_style, asked=len(report.targets)):
            console.status(line)
    return report


def _check_outputs(
    tags: Sequence[Reference], place: Place | None, *, push: bool, load: bool
) -> None:
    if not tags and place is None:
        raise WrongUsage(
            "nothing to write to", hint="-t NAME for the local store, or -o oci:DIR[:TAG]"
        )
    if (push or load) and not tags:
        raise WrongUsage(f"--{'push' if push else 'load'} needs a name", hint="-t NAME")
    if any(tag.digest for tag in tags):
        raise WrongUsage("-t takes a name and a tag, not a digest")


def _place(output: Place | None) -> Place | None:
    if isinstance(output, NamePlace):
        raise WrongUsage(
            f"-o {output}: expected a layout, an archive or docker-daemon:NAME",
            hint=f"-t {output} for the local store",
        )
    return output


def _tagged(place: Place) -> Place:
    if isinstance(place, NamePlace | DaemonPlace):
        return type(place)(place.reference.with_default_tag())
    return place


def _json(
    name: str, image: Image, moved: Sequence[Moved], report: Report | None, variant: str
) -> dict[str, object]:
    from wasmpack.actions.inspect import layer_json

    return {
        "schemaVersion": 1,
        "reference": name,
        "digest": str(image.manifest.digest),
        "size": image.size,
        "variant": variant,
        "layers": [layer_json(layer) for layer in image.manifest.layers],
        "pushed": [blob.as_json() for blob in moved],
        "findings": [finding.as_json() for finding in (report.findings if report else ())],
    }


def _write_files(given: Mapping[str, Any], value: object, digest: str) -> None:
    import json

    from wasmpack.stores.files import write_whole

    metadata: Path | None = given["metadata_file"]
    if metadata is not None:
        write_whole(metadata, [json.dumps(value, indent=2).encode(), b"\n"])
    if given["digest_file"] is not None:
        write_whole(given["digest_file"], [digest.encode(), b"\n"])
