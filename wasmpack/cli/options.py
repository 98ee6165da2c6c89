"""Option groups and parameter types that several commands share."""

import math
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.types import StringParamType

from wasmpack.cli.console import Console
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import ArchivePlace, LayoutPlace, Place, could_be_name, parse_place
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry.options import RegistryOptions

F = TypeVar("F", bound=Callable[..., Any])
_SHAPES = {"yaml", "json", "text"}


if TYPE_CHECKING:
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


def target_options(command: F) -> F:
    """``--target``, ``--plugin-config``, ``--root-id``, ``--strict``: how to judge."""
    for option in (
        click.option("--strict", is_flag=True, help="Warnings reject too."),
        click.option(
            "--root-id",
            "root_ids",
            multiple=True,
            help="Root id; build writes it into the configuration.",
        ),
        click.option(
            "--plugin-config",
            type=FILE,
            help="Configuration handed to the plugin in the dry run, verbatim.",
        ),
        click.option(
            "--target",
            "targets",
            multiple=True,
            help="Judge for this release (repeatable), or 'all'. [default: those in support]",
        ),
    ):
        command = option(command)
    return command


dry_run_timeout_option = click.option(
    "--dry-run-timeout",
    type=click.FloatRange(min=1, max=86400),
    metavar="SECONDS",
    help="Raise the dry run's budget of CPU time. [default: by size]",
)


def registry_options(command: F) -> F:
    """The options of every command that can reach a registry, as one ``registry`` argument."""

    def gather(**given: Any) -> Any:
        own = {name: given.pop(name) for name in list(given) if name in _NAMES}
        return command(registry=_registry(**own), **given)

    gather.__doc__ = command.__doc__
    gather.__name__ = command.__name__
    gather.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    for option in reversed(_REGISTRY):
        gather = option(gather)
    return gather  # type: ignore[return-value]


registry_config_option = click.option(
    "--registry-config",
    type=FILE,
    envvar="WASMPACK_REGISTRY_CONFIG",
    help="Credentials file, instead of Docker's and Podman's.",
)
_REGISTRY = (
    click.option("--plain-http", is_flag=True, help="HTTP without TLS (loopback: the default).",
                 envvar="WASMPACK_PLAIN_HTTP"),
    click.option("--insecure", is_flag=True, help="TLS without verification.",
                 envvar="WASMPACK_INSECURE"),
    click.option("--ca-file", type=FILE, help="Certificate authority to trust.",
                 envvar="WASMPACK_CA_FILE"),
    click.option("--cert-file", type=FILE, help="Client certificate.",
                 envvar="WASMPACK_CERT_FILE"),
    click.option("--key-file", type=FILE, help="Key of the client certificate.",
                 envvar="WASMPACK_KEY_FILE"),
    click.option("-u", "--username", help="User name at the registry.",
                 envvar="WASMPACK_USERNAME"),
    click.option("--password-stdin", is_flag=True,
                 help="Read the password from standard input (or WASMPACK_PASSWORD)."),
    registry_config_option,
    click.option("--timeout", type=click.FloatRange(min=0.1), default=30.0, show_default=True,
                 envvar="WASMPACK_TIMEOUT", help="Seconds to wait for the registry's next byte."),
    click.option("--retries", type=click.IntRange(0, 10), default=4, show_default=True,
                 envvar="WASMPACK_RETRIES", help="Tries after a first that fails, within 30 s."),
)  # fmt: skip
_LONGEST_TIMEOUT = 86400.0
_NAMES = frozenset(
    {"plain_http", "insecure", "ca_file", "cert_file", "key_file", "username", "password_stdin",
     "registry_config", "timeout", "retries"}
)  # fmt: skip


def _registry(*, password_stdin: bool, username: str | None, **given: Any) -> RegistryOptions:
    import os

    if not math.isfinite(given["timeout"]) or given["timeout"] > _LONGEST_TIMEOUT:
        raise WrongUsage(f"--timeout {given['timeout']}: expected seconds, at most a day")
    password = None
    if password_stdin:
        password = _password()
    elif username is not None:
        password = os.environ.get("WASMPACK_PASSWORD")
    if username is None and password_stdin:
        raise WrongUsage("--password-stdin needs --username")
    if username is not None and password is None and sys.stdin is not None and sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, err=True)
    if username is not None and password is None:
        raise WrongUsage(
            "--username needs a password", hint="--password-stdin, or WASMPACK_PASSWORD"
        )
    console = current_console()
    paths = ("ca_file", "cert_file", "key_file", "registry_config")
    texts = {name: _readable_again(given[name]) for name in paths}
    return RegistryOptions(
        username=username, password=password, notice=console.notice,
        **{**given, **texts},
    )  # fmt: skip


def _password() -> str:
    from wasmpack.files.inputs import MAX_CONFIGURATION, read_standard_input

    try:
        password = read_standard_input(MAX_CONFIGURATION).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrongUsage("--password-stdin: standard input is not UTF-8") from None
    if not password:
        raise WrongUsage("--password-stdin: standard input is empty")
    return password


def _readable_again(path: Path | None) -> str | None:
    """A file that libraries open by name, and more than once: a pipe is copied into one."""
    from wasmpack.files.inputs import MAX_CONFIGURATION, is_pipe, read_named

    if path is None or not is_pipe(path):
        return None if path is None else str(path)
    data = read_named(path, MAX_CONFIGURATION)
    work = tempfile.TemporaryDirectory(prefix="wasmpack-")
    copy = Path(click.get_current_context().with_resource(work), path.name)
    copy.write_bytes(data)
    return str(copy)


def current_console() -> Console:
    """The console of this run."""
    console = click.get_current_context().find_object(Console)
    return console or Console()


def result_console(destination: Place | None) -> Console:
    """The console of a command that writes an image: results keep out of an archive's way.

    :raises WrongUsage: the archive would go to a terminal
    """
    from wasmpack.stores.places import goes_to_stdout

    console = current_console()
    if not goes_to_stdout(destination):
        return console
    if sys.stdout is not None and sys.stdout.isatty():
        raise WrongUsage(
            f"{destination}: an archive is not written to a terminal",
            hint="send standard output to a file or a pipe, or name a file",
        )
    return replace(console, stdout_taken=True)
