"""The group of all commands, and the options that stand before a command."""

import copy
import functools
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.types import StringParamType

from wasmpack.cli.command import TOPIC, Group, write_section
from wasmpack.cli.console import Console, Run, current_run
from wasmpack.cli.first_screen import SECTIONS, STEPS
from wasmpack.cli.topics import TOPICS
from wasmpack.similar import nearest
from wasmpack.version import VERSION

_LIKENESS = 0.75
"""From which on a word is a mistyped noun (``difflib``'s measure)."""


class _Place(NamedTuple):
    """Location of a command, and its line in ``--help`` that needs no import."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "build": _Place("build", "build", "Pack a module as an image that the mesh loads."),
    "push": _Place("push", "push", "Send an image to a registry."),
    "pull": _Place("pull", "pull", "Fetch an image from a registry."),
    "extract": _Place("extract", "extract", "Get plugin.wasm out of an image."),
    "copy": _Place("copy", "copy", "Copy an image from one place to another."),
    "mirror": _Place("mirror", "mirror", "Copy the images of resources below a prefix."),
    "repack": _Place(
        "repack", "repack", "Pack the module of an image again, so that meshes load it."
    ),
    "list": _Place("local", "list_images", "List the images of the local store."),
    "remove": _Place("local", "remove", "Remove an image from the local store."),
    "prune": _Place("local", "prune", "Delete what no image needs, and the caches."),
    "cache": _Place("local", "cache", "Show what is cached, or delete it."),
    "tags": _Place("registry", "tags", "List the tags of a repository."),
    "delete": _Place("registry", "delete", "Delete an image from its registry."),
    "tag": _Place("local", "tag", "Give an image of the local store another name."),
    "digest": _Place("digest", "digest", "Print the digest of an image."),
    "inspect": _Place("inspect", "inspect", "Show what an image or a module is made of."),
    "validate": _Place("validate", "validate", "Check whether a mesh would load something."),
    "render": _Place("render", "render", "Write the resources that let a mesh load an image."),
    "migrate": _Place("migrate", "migrate", "Turn ServiceMeshExtensions into WasmPlugins."),
    "run": _Place("run", "run", "Run plugins in a real Envoy."),
    "test": _Place("test", "test", "Run request tests of plugins."),
    "explain": _Place("explain", "explain", "Explain a finding by its code."),
    "targets": _Place("targets", "targets", "List the releases wasmpack can validate for."),
    "login": _Place("registry", "login", "Check and store credentials for a registry."),
    "logout": _Place("registry", "logout", "Remove stored credentials for a registry."),
    "config": _Place("config", "config", "Show the settings that hold here, and their source."),
    "completion": _Place("meta", "completion", "Print a shell completion script."),
    "version": _Place("meta", "version", "Print the version of wasmpack and its parts."),
    "help": _Place("meta", "show_help", "Show the help of a command."),
}
ALIASES = {"ls": "list", "images": "list", "rm": "remove"}
"""Other names of commands."""


class NounGroup(Group):
    """A group whose noun may be left out.

    It runs :attr:`whole` where the first argument is not the name of a command.
    """

    whole: click.Command
    """The command without a noun; it takes the options of all of them."""

    def takes_any(self, command: click.Command) -> click.Command:
        """Decorate :attr:`whole`."""
        self.whole = command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the noun first, or the empty name of the command that needs none."""
        if args and ctx.resilient_parsing:
            noun = next((word for word in args if word in self.commands), "")
            args = [noun, *(word for word in args if word != noun)]
        elif args and args[0] not in self.commands:
            helps = set(ctx.help_option_names) & set(args)
            args = [helps.pop()] if helps else self._with_noun(ctx, args)
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) if cmd_name else self.whole

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.whole.format_usage(ctx, formatter)
        self.whole.format_help_text(ctx, formatter)
        self.format_commands(ctx, formatter)
        self.whole.format_options(ctx, formatter)
        self.whole.format_epilog(ctx, formatter)

    def _with_noun(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options may stand before the noun."""
        with click.Context(self.whole, parent=ctx, info_name="") as inner:
            given, _, _ = self.whole.make_parser(inner).parse_args([*args])
        subjects = next(p.name for p in self.whole.params if isinstance(p, click.Argument))
        first = next(iter(given[subjects] or ()), "")
        if first in self.commands:
            at = args.index(first)
            return [first, *args[:at], *args[at + 1 :]]
        near = nearest(first, self.commands, _LIKENESS)
        from wasmpack.oci.place import is_there

        if near and not is_there(Path(first).exists):
            raise click.NoSuchCommand(first, possibilities=[near], ctx=ctx)
        return ["", *args]


class ReaderGone(Exception):
    """Nobody reads standard output any more."""


class LazyGroup(Group):
    """Knows its commands by name and loads them when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = ALIASES.get(cmd_name, cmd_name)
        place = COMMANDS.get(name)
        if place is None:
            return None
        module = importlib.import_module(f"wasmpack.cli.{place.module}")
        command = getattr(module, place.attribute)
        assert isinstance(command, click.Command)
        with_global_options(command, self._everywhere)
        return with_environment(command, ("WASMPACK", name))

    @functools.cached_property
    def _everywhere(self) -> list[click.Option]:
        return options_of(self)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS.keys() | ALIASES.keys():
            raise click.NoSuchCommand(args[0], possibilities=[*COMMANDS, *ALIASES], ctx=ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; click would turn a broken pipe into exit code 1 by itself."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The main job, the commands in groups, and where to read on."""
        with formatter.section("Three steps"):
            for line, meaning in STEPS:
                formatter.write(f"  {line}\n      {meaning}\n")
        for title, names in SECTIONS.items():
            write_section(formatter, title, [(n, COMMANDS[n].summary) for n in names.split()])
        write_section(formatter, "More", [(f"{TOPIC} {n}", t.summary) for n, t in TOPICS.items()])


class _Text(StringParamType):
    """Any value other than a file name: must be decodable text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = super().convert(value, param, ctx)
        if isinstance(text, str) and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                self.fail("not UTF-8", param, ctx)
        return text


_TEXT = _Text()


def options_of(root: click.Command) -> list[click.Option]:
    """Copies of its options, for all commands: hidden in their help, applied before all others."""
    own = [p for p in root.params if isinstance(p, click.Option) and not p.is_eager]
    return [_copy(option) for option in own]


def _copy(option: click.Option) -> click.Option:
    found = copy.copy(option)
    found.hidden = found.is_eager = True
    found.expose_value = False
    found.envvar = None
    found.default = False if option.is_flag else 0 if option.count else None
    found.callback = _apply
    return found


def _apply(_ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Change the console of this run, if the option was given."""
    if not value:
        return
    run = current_run()
    changes: dict[str, Any] = {str(param.name): value}
    if param.name == "verbose":
        changes = {"verbose": run.console.verbose + value}
    if param.name == "no_progress":
        changes = {"progress": False}
    run.use(replace(run.console, **changes))


def with_global_options(command: click.Command, added: list[click.Option]) -> None:
    """Let them stand after the command too."""
    command.params = [*(p for p in command.params if p not in added), *added]
    for inner in inner_commands(command).values():
        with_global_options(inner, added)


def inner_commands(command: click.Command) -> dict[str, click.Command]:
    """Those of a group, by name; one that needs no noun has an empty name."""
    found = dict(command.commands) if isinstance(command, click.Group) else {}
    return found | ({"": command.whole} if isinstance(command, NounGroup) else {})


def with_environment(command: click.Command, path: tuple[str, ...]) -> click.Command:
    """Let every option be given as ``WASMPACK_OPTION``, or for one command alone as
    ``WASMPACK_COMMAND_OPTION`` (which wins); several values are separated by spaces.

    Options that only print something (``--version``) have none. Text is checked to be text, and
    words may be in any case.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None and not option.is_eager:
            name = max(option.opts, key=len).lstrip("-")
            words = [("_".join((*path, name))), f"WASMPACK_{name}"]
            option.envvar = [word.upper().replace("-", "_") for word in words]
        if isinstance(option, click.Option) and option.type is click.STRING:
            option.type = _TEXT
        if isinstance(option.type, click.Choice):
            option.type.case_sensitive = False
    for name, inner in inner_commands(command).items():
        with_environment(inner, (*path, name) if name else path)
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("-v", "--verbose", count=True, help="Show more detail.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Use colour; NO_COLOR and FORCE_COLOR are honoured.",
)
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
@click.version_option(VERSION, "-V", "--version", prog_name="wasmpack")
@click.pass_obj
def cli(run: Run, verbose: int, quiet: bool, debug: bool, color: str, no_progress: bool) -> None:
    """Pack, validate and ship plugins for Envoy-based meshes.

    WebAssembly plugins for Istio, OpenShift Service Mesh and Envoy run in the proxy; wasmpack
    predicts whether they will. Results go to standard output, the rest to standard error.
    """
    console = Console(color=color, quiet=quiet, verbose=verbose, debug=debug, ticker=run.ticker)
    run.use(replace(console, progress=not no_progress))
    context = click.get_current_context()
    command = cli.get_command(context, context.invoked_subcommand or "")
    if command is not None and not {"-h", "--help"} & {*run.arguments}:
        run.prepare(run, context, command)


with_environment(cli, ("WASMPACK",))
