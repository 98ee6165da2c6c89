"""Option groups and parameter types that several commands share."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.types import StringParamType

from wasmpack.cli.console import Console
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import (
    ArchivePlace,
    LayoutPlace,
    NamePlace,
    Place,
    could_be_name,
    parse_place,
)
from wasmpack.oci.reference import Reference

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[Any], Any]
_SHAPES = {"yaml", "json", "text"}


if TYPE_CHECKING:
    from wasmpack.actions.validate import Checks

    _PlaceParameter = click.ParamType[Place]
    _NameParameter = click.ParamType[Reference]
else:  # generic in newer releases of click only
    _PlaceParameter = _NameParameter = click.ParamType


class PlaceType(_PlaceParameter):
    """An image's place, by the one grammar of all commands."""

    name = "place"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Place:
        if not isinstance(value, str):
            return value  # type: ignore[return-value]  # a default, converted before
        if value in _SHAPES and param is not None and "-o" in param.opts:
            raise WrongUsage(
                f"-o {value}: -o says where, not in which shape",
                hint=f"did you mean --format {value}?",
            )
        place = parse_place(value)
        if isinstance(place, LayoutPlace | ArchivePlace) and could_be_name(value):
            console = current_console() if ctx is None else ctx.find_object(Console) or Console()
            console.status(
                f"{value}: the {'directory' if isinstance(place, LayoutPlace) else 'file'} here, "
                f"not an image of that name (docker://{value})"
            )
        return place


class ReferenceType(_NameParameter):
    """An image name."""

    name = "name"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Reference:
        if isinstance(value, Reference):
            return value
        return Reference.parse(str(value).removeprefix("docker://"))


PLACE = PlaceType()
REFERENCE = ReferenceType()
FILE = click.Path(path_type=Path, dir_okay=False)
ANY_NAME = StringParamType()
"""Text that names files or directories, which need not be UTF-8."""

image_argument = click.argument("image", type=PLACE)


def format_option(command: F) -> F:
    """``--format text|json``."""
    return click.option(
        "--format",
        "shape",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Shape of the result.",
    )(command)


def force_option(what: str) -> Callable[[F], F]:
    """``--force``, saying what it overwrites."""
    return click.option("--force", is_flag=True, help=f"Overwrite {what}.")


def grouped(
    name: str, options: Sequence[Option], make: Callable[..., object], *, keep: Sequence[str] = ()
) -> Callable[[F], F]:
    """Options that a command gets as one argument.

    :param name: of the argument
    :param make: called with what was given
    :param keep: names that the command gets as well
    """

    def decorate(command: F) -> F:
        own: list[str] = []

        def gather(**given: Any) -> Any:
            mine = {key: given[key] for key in own}
            others = {key: value for key, value in given.items() if key not in own or key in keep}
            return command(**{name: make(**mine)}, **others)

        before = getattr(command, "__click_params__", [])
        gather.__doc__, gather.__name__ = command.__doc__, command.__name__
        gather.__click_params__ = list(before)  # type: ignore[attr-defined]
        for option in reversed(options):
            option(gather)
        added = gather.__click_params__[len(before) :]  # type: ignore[attr-defined]
        own += [parameter.name for parameter in added]
        return gather  # type: ignore[return-value]

    return decorate


targets_option = click.option(
    "--target",
    "targets",
    multiple=True,
    help="Judge for this release (repeatable), or 'all'. [default: those in support]",
)
strict_option = click.option("--strict", is_flag=True, help="Warnings reject too.")
dry_run_timeout_option = click.option(
    "--dry-run-timeout",
    type=click.FloatRange(min=1, max=86400),
    metavar="SECONDS",
    help="Raise the dry run's budget of CPU time. [default: by size]",
)
no_validate_option = click.option("--no-validate", is_flag=True, help="Do not check the module.")
_JUDGING = (
    targets_option,
    click.option("--plugin-config", type=FILE,
                 help="Configuration handed to the plugin in the dry run, verbatim."),
    click.option("--root-id", "root_ids", multiple=True,
                 help="Root id; build writes it into the configuration."),
    strict_option,
)  # fmt: skip
_ASKING = (
    click.option("--no-dry-run", is_flag=True,
                 help="Do not start the module; what that shows is not judged."),
    dry_run_timeout_option,
    click.option("--envoy", is_flag=True,
                 help="Ask a real Envoy too (wasmpack[envoy], or one on the PATH)."),
)  # fmt: skip


def checks_from(
    targets: Sequence[str] = (),
    plugin_config: Path | None = None,
    root_ids: Sequence[str] = (),
    *,
    strict: bool = False,
    no_dry_run: bool = False,
    dry_run_timeout: float | None = None,
    envoy: bool = False,
) -> "Checks":
    """What the judging options of a command mean."""
    from wasmpack.actions.inputs import read_file
    from wasmpack.actions.validate import Checks
    from wasmpack.dry_run.start_up import StartUp

    for option, given in (
        ("--plugin-config", plugin_config),
        ("--dry-run-timeout", dry_run_timeout),
    ):
        if given is not None and no_dry_run:
            raise WrongUsage(f"{option} and --no-dry-run exclude each other")
    start_up = StartUp(
        plugin_config=None if plugin_config is None else read_file(plugin_config),
        root_id=root_ids[0] if root_ids else "",
        dry_run=not no_dry_run,
        seconds=dry_run_timeout,
    )
    return Checks(targets=targets, strict=strict, envoy=envoy, start_up=start_up)


def _build_checks(*, no_validate: bool, **given: Any) -> "Checks | None":
    if no_validate and given["strict"]:
        raise WrongUsage("--no-validate and --strict exclude each other")
    return None if no_validate else checks_from(**given)


check_options = grouped("checks", [*_JUDGING, *_ASKING], checks_from)
build_check_options = grouped(
    "checks",
    [no_validate_option, *_JUDGING, dry_run_timeout_option],
    _build_checks,
    keep=["root_ids"],
)


def asked(image: Place, *, remote: bool) -> Place:
    """The place to look at.

    :raises WrongUsage: ``--remote`` with something that is not a name
    """
    if not remote:
        return image
    if not isinstance(image, NamePlace):
        raise WrongUsage(f"--remote goes with an image name, not with {image}")
    return replace(image, remote=True)


remote_option = click.option("--remote", is_flag=True, help="Ask the registry only.")


def current_console() -> Console:
    """The console of this run."""
    console = click.get_current_context().find_object(Console)
    return console or Console()


def result_console(destination: Place | None) -> Console:
    """The console of a command that writes an image: results keep out of an archive's way.

    :raises WrongUsage: the archive would go to a terminal
    """
    from wasmpack.images.writing import goes_to_stdout

    console = current_console()
    if not goes_to_stdout(destination):
        return console
    if sys.stdout is not None and sys.stdout.isatty():
        raise WrongUsage(
            f"{destination}: an archive is not written to a terminal",
            hint="send standard output to a file or a pipe, or name a file",
        )
    return replace(console, stdout_taken=True)
