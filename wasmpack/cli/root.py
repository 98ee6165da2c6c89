"""The group of all commands, and the options that stand before a command."""

import importlib
from typing import Any, NamedTuple

import click
from click.types import StringParamType

from wasmpack.cli.console import Console, ReaderGone, Run
from wasmpack.cli.nouns import NounGroup
from wasmpack.version import VERSION


class _Place(NamedTuple):
    """Where a command is defined, and what ``--help`` says of it without loading it."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "build": _Place("build", "build", "Pack a module as an image and check it first."),
    "push": _Place("push", "push", "Send an image to a registry."),
    "pull": _Place("pull", "pull", "Fetch an image from a registry."),
    "extract": _Place("extract", "extract", "Get plugin.wasm out of an image."),
    "copy": _Place("copy", "copy", "Copy an image from any place to any other."),
    "repack": _Place("repack", "repack", "Make an image that meshes load of one that they refuse."),
    "list": _Place("local", "list_images", "List the images of the local store."),
    "remove": _Place("local", "remove", "Remove an image from the local store."),
    "prune": _Place("local", "prune", "Delete what no image needs, and the caches."),
    "tags": _Place("registry", "tags", "List the tags of a repository."),
    "tag": _Place("local", "tag", "Give an image of the local store another name."),
    "digest": _Place("digest", "digest", "Print the digest of an image."),
    "inspect": _Place("inspect", "inspect", "Show what an image or a module is made of."),
    "validate": _Place("validate", "validate", "Say whether a mesh would load it."),
    "render": _Place("render", "render", "Write the resources that let a mesh load an image."),
    "migrate": _Place("migrate", "migrate", "Turn ServiceMeshExtensions into WasmPlugins."),
    "targets": _Place("targets", "targets", "List the consumers wasmpack knows."),
    "login": _Place("registry", "login", "Keep credentials for a registry."),
    "logout": _Place("registry", "logout", "Forget the credentials for a registry."),
    "completion": _Place("meta", "completion", "Print a shell completion script."),
    "version": _Place("meta", "version", "Print the version of wasmpack and its parts."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and loads them when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module = importlib.import_module(f"wasmpack.cli.{place.module}")
        command = getattr(module, place.attribute)
        assert isinstance(command, click.Command)
        return with_environment(command, ("WASMPACK", cmd_name))

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; click would turn a broken pipe into exit code 1 by itself."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


class _Text(StringParamType):
    """What is not the name of a file has to be characters, whatever it is used for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = super().convert(value, param, ctx)
        if isinstance(text, str) and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                self.fail("not UTF-8", param, ctx)
        return text


_TEXT = _Text()


def with_environment(command: click.Command, path: tuple[str, ...]) -> click.Command:
    """Let every option be given as ``WASMPACK_OPTION``, or for one command alone as
    ``WASMPACK_COMMAND_OPTION`` (which wins); several values are separated by spaces.

    Options that only print something (``--version``) have none. Text is checked to be text.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None and not option.is_eager:
            name = max(option.opts, key=len).lstrip("-")
            words = [("_".join((*path, name))), f"WASMPACK_{name}"]
            option.envvar = [word.upper().replace("-", "_") for word in words]
        if isinstance(option, click.Option) and option.type is click.STRING:
            option.type = _TEXT
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            with_environment(inner, (*path, name))
    if isinstance(command, NounGroup):
        with_environment(command.whole, path)
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("-v", "--verbose", count=True, help="Say more.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="When to use colour; NO_COLOR and FORCE_COLOR are honoured.",
)
@click.option("--no-progress", is_flag=True, help="No progress bars.")
@click.version_option(VERSION, "--version", prog_name="wasmpack")
@click.pass_obj
def cli(run: Run, verbose: int, quiet: bool, debug: bool, color: str, no_progress: bool) -> None:
    """Pack, check and ship WebAssembly plugins for Istio, OpenShift Service Mesh and Envoy.

    An IMAGE is a name (quay.io/me/plugin:v1: the local store first, then the registry),
    oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-daemon:NAME. Results go to standard output, the
    rest to standard error.
    """
    run.console = Console(
        color=color, quiet=quiet, verbose=verbose, debug=debug, progress=not no_progress
    )


with_environment(cli, ("WASMPACK",))
