"""Types of parameters, and options that several commands share."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.types import StringParamType

from wasmpack.cli.command import Option, Section, argument, grouped, long_name, option
from wasmpack.cli.console import current_console, current_run
from wasmpack.cli.passwords import (
    password_from_environment,
    password_from_stdin,
    password_variable,
)
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import (
    ARCHIVES,
    STREAM,
    ArchivePlace,
    LayoutPlace,
    NamePlace,
    Place,
    could_be_name,
    parse_place,
)
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session

F = TypeVar("F", bound=Callable[..., Any])
_BY_PROJECT = ParameterSource.DEFAULT_MAP
_LONGEST_TIMEOUT = 86400.0
_SHAPES = {"yaml", "json", "text"}


if TYPE_CHECKING:
    _PlaceParameter = click.ParamType[Place]
    _NameParameter = click.ParamType[Reference]
else:  # generic in newer releases of click only
    _PlaceParameter = _NameParameter = click.ParamType


def completed_name(text: str, *, tagged: bool = True) -> str:
    """An image name with the registry and the tag of the project, if it has none."""
    project = current_run().project
    return text if project is None else project.completed_name(text, tagged=tagged)


def completed_place(text: str) -> str:
    """As :func:`completed_name`, of text that may be a place that exists here."""
    project = current_run().project
    return text if project is None else project.completed_place(text)


class PlaceType(_PlaceParameter):
    """An image's place, by the one grammar of all commands."""

    of_project = True
    """The project file says what names mean."""

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
        place = parse_place(completed_place(value))
        if isinstance(place, LayoutPlace | ArchivePlace) and could_be_name(value):
            current_console().status(
                f"{value}: the {'directory' if isinstance(place, LayoutPlace) else 'file'} here, "
                f"not an image of that name (docker://{value})"
            )
        return place


class DestinationType(PlaceType):
    """A place, or one that ends in ``/``: a prefix of several."""

    name = "destination"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        from wasmpack.oci.prefix import Prefix

        prefix = Prefix.parse(value) if isinstance(value, str) else None
        place = prefix or super().convert(value, param, ctx)
        if (
            isinstance(place, NamePlace)
            and str(value).endswith(ARCHIVES)
            and not place.reference.names_host
        ):
            raise WrongUsage(
                f"{value}: no archive is written under a bare name", hint=f"oci-archive:{value}"
            )
        return place


class ReferenceType(_NameParameter):
    """An image name."""

    of_project = True
    name = "name"

    def __init__(self, *, tagged: bool = True) -> None:
        """:param tagged: it means the project's tag, if it has none"""
        self._tagged = tagged

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Reference:
        if isinstance(value, Reference):
            return value
        name = completed_name(str(value), tagged=self._tagged)
        return Reference.parse(name.removeprefix("docker://"))


PLACE = PlaceType()
DESTINATION = DestinationType()
REFERENCE = ReferenceType()
REPOSITORY = ReferenceType(tagged=False)
ANY_NAME = StringParamType()
"""Text that names files or directories, which need not be UTF-8."""
VARIANTS = click.Choice(["oci", "compat", "docker"])

image_argument = click.argument("image", type=PLACE)


def force_option(what: str) -> Callable[[F], F]:
    """``--force``, saying what it overwrites."""
    return click.option(
        "--force", cls=Option, section=Section.OUTPUT, is_flag=True, help=f"Overwrite {what}."
    )


def by_project(name: str) -> bool:
    """True if the project file gave this option its value."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(name) is _BY_PROJECT


def exclude(**given: object) -> None:
    """:raises WrongUsage: all of these options, which exclude each other, are given.

    The command line wins over the project file.
    """
    if all(given.values()) and not any(map(by_project, given)):
        names = " and ".join(map(long_name, given))
        raise WrongUsage(f"{names} exclude each other")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSubject:
    """An image to look at."""

    image: Place = argument(type=PLACE)
    remote: bool = option("Read from the registry only.")

    def place(self) -> Place:
        """:raises WrongUsage: ``--remote`` with something that is not a name."""
        return at_registry(self.image) if self.remote else self.image


def at_registry(place: Place) -> Place:
    """The image of that name in its registry, whatever the local store holds.

    :raises WrongUsage: not a name
    """
    if not isinstance(place, NamePlace):
        raise WrongUsage(f"--remote goes with an image name, not with {place}")
    return replace(place, remote=True)


image_subject = grouped("image", ImageSubject, ImageSubject.place, section=Section.IMAGE)
"""``IMAGE`` and ``--remote``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How registries are reached."""

    plain_http: bool = option("Use HTTP without TLS (loopback: the default).")
    insecure: bool = option("Use TLS without verification.")
    ca_file: Path | None = option("Trust this certificate authority.")
    cert_file: Path | None = option("Send this client certificate.")
    key_file: Path | None = option("Use this key of the client certificate.")
    username: str | None = option("Log in to the registry as this user.", "-u", metavar="USER")
    password_stdin: bool = option("Read the password from stdin (or WASMPACK_PASSWORD).")
    registry_config: Path | None = option("Use these credentials, not Docker's and Podman's.")
    timeout: float | None = option(
        "Wait this long for the registry's next byte.",
        metavar="SECONDS",
        type=click.FloatRange(min=0.1),
        default=30.0,
    )
    retries: int | None = option(
        "Retry a failed request, for at most 30 s.",
        type=click.IntRange(0, 10),
        default=4,
        metavar="N",
    )

    def session(self) -> Session:
        """Return the session; read the password or prompt for it."""
        options = RegistryOptions(**self.given())
        return Session(registry=options, notice=current_console().notice)

    def given(self, side: str = "") -> dict[str, Any]:
        """The fields of :class:`RegistryOptions` that are given, the password included.

        :param side: the options start with it
        """
        if self.timeout and not 0 < self.timeout <= _LONGEST_TIMEOUT:
            name = long_name(f"{side}_timeout" if side else "timeout")
            raise WrongUsage(f"{name} {self.timeout}: expected seconds, at most a day")
        found = {
            "plain_http": self.plain_http,
            "insecure": self.insecure,
            "username": self.username,
            "password": self._password(side),
            "ca_file": _readable_again(self.ca_file),
            "cert_file": _readable_again(self.cert_file),
            "key_file": _readable_again(self.key_file),
            "registry_config": _readable_again(self.registry_config),
            "timeout": self.timeout,
            "retries": self.retries,
        }
        return {
            name: value for name, value in found.items() if value is not None and value is not False
        }

    def _password(self, side: str) -> str | None:
        start = f"--{side}-" if side else "--"
        if self.username is None and not self.password_stdin:
            return None
        password = password_from_stdin() if self.password_stdin else password_from_environment(side)
        if self.username is None:
            raise WrongUsage(f"{start}password-stdin needs {start}username")
        if password is None and sys.stdin is not None and sys.stdin.isatty():
            from wasmpack.cli.progress import ask

            password = ask(current_console(), "Password", hidden=True)
        if password is None:
            raise WrongUsage(
                f"{start}username needs a password",
                hint=f"{start}password-stdin, or {password_variable(side)}",
            )
        return password


registry_options = grouped(
    "session", SessionOptions, SessionOptions.session, section=Section.REGISTRY
)
"""The options of every command that can reach a registry; their help is a topic."""
login_options = grouped("session", SessionOptions, SessionOptions.session)
"""The same for a command that is about nothing else: they are in its help."""
credentials_options = grouped(
    "session", SessionOptions, SessionOptions.session, only="registry_config"
)
"""Those of a command that reads or writes stored credentials alone."""


def _readable_again(path: Path | None) -> str | None:
    """A file that libraries open by name, and more than once: a pipe is copied into one."""
    from wasmpack.files.inputs import MAX_CONFIGURATION, is_pipe, read_named

    if str(path) == STREAM:
        raise WrongUsage("-: standard input is not read here", hint="/dev/stdin, or a file")
    if path is None or not is_pipe(path):
        return None if path is None else str(path)
    import tempfile

    data = read_named(path, MAX_CONFIGURATION)
    work = tempfile.TemporaryDirectory(prefix="wasmpack-")
    copy = Path(click.get_current_context().with_resource(work), path.name)
    copy.write_bytes(data)
    return str(copy)
