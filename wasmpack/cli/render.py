"""``wasmpack render``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.command import Group, Section, grouped, option
from wasmpack.cli.console import Console, resource_format_option
from wasmpack.cli.options import completed_place, exclude, registry_options
from wasmpack.cli.render_fields import FieldOptions
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.render_secret import SecretRequest
    from wasmpack.actions.render_source import RenderRequest
    from wasmpack.kubeyaml.writer import Rendered

_KINDS = ["WasmPlugin", "TrafficExtension", "EnvoyExtensionPolicy", "EnvoyFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """Which resource is written, and from what."""

    pin: bool = option("Write the digest that the mesh compares.", section=Section.IMAGE)
    remote: bool = option("Read from the registry only.", section=Section.IMAGE)
    no_image: bool = option("Do not read the image; no network is used.", section=Section.IMAGE)
    kind: str = option(
        "Write this kind of resource.",
        type=click.Choice(_KINDS, case_sensitive=False),
        default="WasmPlugin",
        section=Section.RESOURCE,
    )
    targets: tuple[str, ...] = option(
        "Write for this release (repeatable). [default: those in support]",
        "--target",
        metavar="RELEASE",
        section=Section.CHECKS,
    )
    no_validate: bool = option("Write it even if the mesh would refuse it.", section=Section.CHECKS)
    output: Path | None = option("Write to this file. [default: standard output]", "-o")
    values: Path | None = option(
        "Read fields from YAML or JSON, by their API names.", section=Section.RESOURCE
    )
    template: Path | None = option("Put the fields into this manifest.", section=Section.RESOURCE)

    def request(self, image: str, fields: FieldOptions) -> RenderRequest:
        """Read the given files and return the request.

        :raises WrongUsage: options that exclude each other, a file that cannot be written
        """
        from wasmpack.actions.render_source import RenderRequest
        from wasmpack.mesh.kinds import Kind

        check_output(self.output)
        exclude(pin=self.pin, no_image=self.no_image)
        return RenderRequest(
            source=image if "://" in image else completed_place(image),
            kind=Kind(self.kind),
            pin=self.pin,
            remote=self.remote,
            look=not self.no_image,
            targets=self.targets,
            validate=not self.no_validate,
            given=fields.values(self.values),
            template=_template(self.template),
        )


def _template(path: Path | None) -> tuple[bytes, str] | None:
    from wasmpack.actions.inputs import read_file

    return (read_file(path), str(path)) if path else None


def check_output(output: Path | None) -> None:
    """:raises WrongUsage: a shape is meant, or the file could not be written afterwards"""
    if output is not None and str(output) in {"yaml", "json"}:
        raise WrongUsage(f"-o {output}: expected a file", hint=f"did you mean --format {output}?")
    if output is not None and str(output) != "-":
        check_named(output)


@click.group(cls=Group)
def render() -> None:
    """Write the resources that let a mesh load an image.

    kubectl apply -f - takes them.
    """


@render.command(
    "wasmplugin",
    examples=[
        "wasmpack render wasmplugin quay.io/me/plugin:v1 --pin --phase AUTHN | kubectl apply -f -",
        "wasmpack render wasmplugin quay.io/me/plugin:v1 -n shop -l app=web --plugin-config c.yaml",
    ],
)
@click.argument("image", metavar="IMAGE|URL")
@grouped("fields", FieldOptions, section=Section.RESOURCE)
@grouped("options", RenderOptions, section=Section.OUTPUT)
@resource_format_option
@registry_options
def wasmplugin(
    image: str, fields: FieldOptions, options: RenderOptions, console: Console, session: Session
) -> None:
    """Write the WasmPlugin for IMAGE.

    Or for a file:// or http(s):// URL. Options override --values, and those the template. A
    resource or module that the targets would refuse is not written (exit code 3); behaviour of a
    mesh that may surprise is reported on stderr.
    """
    from wasmpack.actions.render import render_wasmplugin
    from wasmpack.cli.report import show_findings

    request = options.request(image, fields)
    with console.rejections():
        done = render_wasmplugin(request, session)
    show_findings(done.report, console)
    if options.output is None or str(options.output) == "-":
        console.show(done.rendered, _yaml(done.rendered))
    else:
        console.save(options.output, done.rendered, _yaml(done.rendered))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOptions:
    """Which Secret is written."""

    name: str | None = option("Name the Secret. [default: from REGISTRY]", metavar="NAME")
    namespace: str | None = option("Set its namespace: that of the WasmPlugin.", "-n", metavar="NS")
    template: Path | None = option("Put the credentials into this manifest.")

    def request(self, registry: str) -> SecretRequest:
        """Read the template and return the request."""
        from wasmpack.actions.render_secret import SecretRequest

        return SecretRequest(
            registry=registry,
            name=self.name,
            namespace=self.namespace,
            template=_template(self.template),
        )


@render.command("secret", examples=["wasmpack render secret quay.io --name pull -n mesh"])
@click.argument("registry")
@grouped("secret", SecretOptions, section=Section.RESOURCE)
@resource_format_option
@registry_options
def render_pull_secret(
    registry: str, secret: SecretOptions, console: Console, session: Session
) -> None:
    """Write the pull secret for REGISTRY.

    From the credentials you have, with exactly the key that the mesh looks up. What it prints is
    secret.
    """
    from wasmpack.actions.render_secret import render_secret

    done = render_secret(secret.request(registry), session)
    for warning in done.warnings:
        console.warn(warning)
    console.show(done.rendered, _yaml(done.rendered))


def _yaml(rendered: Rendered) -> Iterator[str]:
    yield rendered.text("yaml").rstrip("\n")
