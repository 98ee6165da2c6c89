"""The options of every command that can reach a registry, as one ``session`` argument."""

import math
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from wasmpack.cli.console import Console
from wasmpack.cli.options import FILE, current_console, grouped
from wasmpack.errors import WrongUsage
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session

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


def _session(*, password_stdin: bool, username: str | None, **given: Any) -> Session:
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
    paths = ("ca_file", "cert_file", "key_file", "registry_config")
    texts = {name: _readable_again(given[name]) for name in paths}
    options = RegistryOptions(username=username, password=password, **{**given, **texts})
    return Session(registry=options, notice=current_console().notice)


registry_options = grouped("session", _REGISTRY, _session)
"""The options of every command that can reach a registry."""


@contextmanager
def moving(session: Session, console: Console, label: str) -> Iterator[Session]:
    """The session with a progress bar on stderr, where that is a terminal."""
    with console.moving(label) as progress:
        yield replace(session, progress=progress)


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
