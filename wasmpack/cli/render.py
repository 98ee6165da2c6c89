"""``wasmpack render``."""

from pathlib import Path
from typing import Any

import click

from wasmpack.cli.options import ANY_NAME, FILE, current_console
from wasmpack.cli.session_options import registry_options
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named, write_named
from wasmpack.stores.session import Session

_SHAPE = click.option(
    "--format", "shape", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True,
    help="Shape of the result.",
)  # fmt: skip
_FAIL_STRATEGIES = ["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]
_FIELDS = (
    click.option("-l", "--selector", multiple=True, metavar="K=V",
                 help="Labels of the workloads it runs in: K=V,K=V (repeatable)."),
    click.option("--target-ref", "target_refs", multiple=True, metavar="KIND/NAME",
                 help="Gateway, Service, … it is attached to, instead of a selector (repeatable)."),
    click.option("--phase", type=click.Choice(["AUTHN", "AUTHZ", "STATS"], case_sensitive=False),
                 help="Where in the filter chain it runs. [default: before the router]"),
    click.option("--priority", type=int,
                 help="Within the phase the highest runs first. [default: 0]"),
    click.option("--plugin-name", "pluginName", metavar="NAME",
                 help="Root id. [default: the first in the image's runtime configuration]"),
    click.option("--plugin-config", metavar="FILE", type=ANY_NAME,
                 help="Configuration of the plugin: a YAML or JSON file, or such text itself."),
    click.option("--pull-policy", "imagePullPolicy",
                 type=click.Choice(["IfNotPresent", "Always"], case_sensitive=False),
                 help="When the mesh pulls again."),
    click.option("--pull-secret", "imagePullSecret", metavar="NAME",
                 help="Secret in the same namespace: wasmpack render secret."),
    click.option("--fail-strategy", "failStrategy",
                 type=click.Choice(_FAIL_STRATEGIES, case_sensitive=False),
                 help="What becomes of traffic if the plugin fails. [default: it stops]"),
    click.option("--type", "type", type=click.Choice(["HTTP", "NETWORK"], case_sensitive=False),
                 help="Kind of filter. [default: HTTP]"),
    click.option("--match", multiple=True, metavar="[MODE][:PORT,…]",
                 help="Traffic it sees: CLIENT (outbound, gateways), SERVER (inbound), "
                 "CLIENT_AND_SERVER (repeatable). [default: all]"),
    click.option("--env", multiple=True, metavar="NAME[=VALUE]",
                 help="Variable of the plugin; without a value the proxy's own (repeatable)."),
    click.option("--sha256", metavar="HEX", help="Digest to compare; --pin looks it up."),
)  # fmt: skip


def check_output(output: Path | None) -> None:
    """:raises WrongUsage: a shape is meant, or the file could not be written afterwards"""
    if output is not None and str(output) in {"yaml", "json"}:
        raise WrongUsage(f"-o {output}: expected a file", hint=f"did you mean --format {output}?")
    if output is not None and str(output) != "-":
        check_named(output)


def _field_options(command: Any) -> Any:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@click.group()
def render() -> None:
    """Write the resources that let a mesh load an image; kubectl apply -f - takes them."""


@render.command(
    "wasmplugin",
    epilog="Example: wasmpack render wasmplugin quay.io/me/plugin:v1 --pin --phase AUTHN",
)
@click.argument("image", metavar="IMAGE|URL")
@click.option("--name", help="Name of the resource. [default: the image's]")
@click.option("-n", "--namespace", help="Its namespace.")
@_field_options
@click.option("--pin", is_flag=True, help="Write the digest that the mesh compares.")
@click.option("--remote", is_flag=True, help="Ask the registry only.")
@click.option("--no-image", is_flag=True, help="Do not read the image; no network is used.")
@click.option(
    "--kind",
    type=click.Choice(
        ["WasmPlugin", "TrafficExtension", "EnvoyExtensionPolicy", "EnvoyFilter"],
        case_sensitive=False,
    ),
    default="WasmPlugin",
    show_default=True,
    help="Resource to write.",
)
@click.option(
    "--target", "targets", multiple=True,
    help="Release it is for (repeatable). [default: those in support]",
)  # fmt: skip
@click.option("--no-validate", is_flag=True, help="Write it even if the mesh would refuse it.")
@click.option("-o", "--output", type=FILE, help="Write to this file. [default: standard output]")
@click.option("--values", type=FILE, help="YAML or JSON with fields by their API names.")
@click.option("--template", type=FILE, help="Manifest to put the fields in.")
@_SHAPE
@registry_options
def wasmplugin(
    image: str, name: str | None, namespace: str | None, pin: bool, remote: bool, no_image: bool,
    kind: str, targets: tuple[str, ...], no_validate: bool, output: Path | None,
    values: Path | None, template: Path | None, shape: str, session: Session,
    **fields: Any,
) -> None:  # fmt: skip
    """Write the WasmPlugin for IMAGE, or for a file:// or http(s):// URL.

    Options go before --values, those before the template. What the targets would refuse, the
    resource or the module of its image, is not written (exit code 3); what a mesh would do
    otherwise than one may think is said on stderr.
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.actions.render import render_wasmplugin
    from wasmpack.actions.render_source import RenderRequest
    from wasmpack.cli.render_fields import fields_of, values_of
    from wasmpack.cli.report import shown_if_rejected
    from wasmpack.findings.report import findings_text
    from wasmpack.mesh.kinds import Kind

    check_output(output)
    if pin and no_image:
        raise WrongUsage("--pin and --no-image exclude each other")
    console = current_console()
    request = RenderRequest(
        source=image, kind=Kind(kind), pin=pin, remote=remote, look=not no_image, targets=targets,
        validate=not no_validate,
        given=values_of(values, name, namespace, fields_of(**fields)),
        template=(read_file(template), str(template)) if template else None,
    )  # fmt: skip
    with shown_if_rejected(shape, console):
        done = render_wasmplugin(request, session)
    for line in findings_text(done.report, console.err_style):
        console.status(line)
    if output is None or str(output) == "-":
        console.result(done.text(shape).rstrip("\n"))
    else:
        write_named(output, [done.text(shape).encode()], console.notice)


@render.command("secret", epilog="Example: wasmpack render secret quay.io --name pull -n mesh")
@click.argument("registry_host", metavar="REGISTRY")
@click.option("--name", help="Name of the Secret. [default: from REGISTRY]")
@click.option("-n", "--namespace", help="Its namespace: that of the WasmPlugin.")
@click.option("--template", type=FILE, help="Manifest to put the credentials in.")
@_SHAPE
@registry_options
def secret(
    registry_host: str, name: str | None, namespace: str | None, template: Path | None, shape: str,
    session: Session,
) -> None:  # fmt: skip
    """Write the pull secret for REGISTRY from the credentials you have.

    With exactly the key that the mesh looks up. What it prints is secret.
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.actions.render_secret import SecretRequest, render_secret

    console = current_console()
    request = SecretRequest(
        registry=registry_host, name=name, namespace=namespace,
        template=(read_file(template), str(template)) if template else None,
    )  # fmt: skip
    done = render_secret(request, session)
    for warning in done.warnings:
        console.warn(warning)
    console.result(done.text(shape).rstrip("\n"))
