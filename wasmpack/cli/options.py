"""Types of parameters, and options that several commands share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.types import StringParamType

from wasmpack.cli.console import current_console
from wasmpack.cli.groups import argument, grouped, long_name, option
from wasmpack.cli.printer import JsonPrinter, Printer
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named
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
_SHAPES = {"yaml", "json", "text"}


if TYPE_CHECKING:
    from wasmpack.actions.validate import Checks
    from wasmpack.images.writing import Written

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
            current_console().status(
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
ANY_NAME = StringParamType()
"""Text that names files or directories, which need not be UTF-8."""
VARIANTS = click.Choice(["oci", "compat", "docker"])

image_argument = click.argument("image", type=PLACE)


def force_option(what: str) -> Callable[[F], F]:
    """``--force``, saying what it overwrites."""
    return click.option("--force", is_flag=True, help=f"Overwrite {what}.")


def exclude(**given: object) -> None:
    """:raises WrongUsage: all of these options, which exclude each other, are given."""
    if all(given.values()):
        names = " and ".join(map(long_name, given))
        raise WrongUsage(f"{names} exclude each other")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """How modules and images are judged."""

    targets: tuple[str, ...] = option(
        "Judge for this release (repeatable), or 'all'. [default: those in support]", "--target"
    )
    plugin_config: Path | None = option(
        "Configuration handed to the plugin in the dry run, verbatim."
    )
    root_ids: tuple[str, ...] = option(
        "Root id; build writes it into the configuration.", "--root-id"
    )
    strict: bool = option("Warnings reject too.")
    no_dry_run: bool = option("Do not start the module; what that shows is not judged.")
    dry_run_timeout: float | None = option(
        "Raise the dry run's budget of CPU time. [default: by size]",
        type=click.FloatRange(min=1, max=86400),
        metavar="SECONDS",
    )
    envoy: bool = option("Ask a real Envoy too (wasmpack[envoy], or one on the PATH).")

    def checks(self) -> "Checks":
        """What they mean."""
        from wasmpack.actions.inputs import read_file
        from wasmpack.actions.validate import Checks
        from wasmpack.dry_run.start_up import StartUp

        config, seconds = self.plugin_config, self.dry_run_timeout
        exclude(plugin_config=config is not None, no_dry_run=self.no_dry_run)
        exclude(dry_run_timeout=seconds is not None, no_dry_run=self.no_dry_run)
        start_up = StartUp(
            plugin_config=None if config is None else read_file(config),
            root_id=self.root_ids[0] if self.root_ids else "",
            dry_run=not self.no_dry_run,
            seconds=seconds,
        )
        return Checks(targets=self.targets, strict=self.strict, envoy=self.envoy, start_up=start_up)


check_options = grouped("checks", CheckOptions, CheckOptions.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSubject:
    """An image to look at."""

    image: Place = argument(type=PLACE)
    remote: bool = option("Ask the registry only.")

    def place(self) -> Place:
        """:raises WrongUsage: ``--remote`` with something that is not a name."""
        if not self.remote:
            return self.image
        if not isinstance(self.image, NamePlace):
            raise WrongUsage(f"--remote goes with an image name, not with {self.image}")
        return replace(self.image, remote=True)


image_subject = grouped("image", ImageSubject, ImageSubject.place)
"""``IMAGE`` and ``--remote``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """Files for what was written."""

    metadata_file: Path | None = option("Write the JSON result to this file.")
    digest_file: Path | None = option("Write the digest to this file.")

    def check(self) -> None:
        """:raises WrongUsage: one that could not be written afterwards, or that holds a module."""
        for file in filter(None, (self.metadata_file, self.digest_file)):
            check_named(file)
            if file.suffix in {".wasm", ".wat"}:
                raise WrongUsage(f"{file}: this would overwrite a module")

    def write(self, done: "Written", printer: Printer) -> None:
        """Write those that were asked for."""
        if self.metadata_file is not None:
            JsonPrinter(printer.console).save(self.metadata_file, done, ())
        if self.digest_file is not None:
            Printer(printer.console).save(self.digest_file, done, [str(done.digest)])
