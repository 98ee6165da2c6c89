"""The options of every command that can reach a registry, as one ``session`` argument."""

import math
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

from wasmpack.cli.console import current_console
from wasmpack.cli.groups import grouped, option
from wasmpack.errors import WrongUsage
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session

_LONGEST_TIMEOUT = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How registries are reached."""

    plain_http: bool = option("HTTP without TLS (loopback: the default).")
    insecure: bool = option("TLS without verification.")
    ca_file: Path | None = option("Certificate authority to trust.")
    cert_file: Path | None = option("Client certificate.")
    key_file: Path | None = option("Key of the client certificate.")
    username: str | None = option("User name at the registry.", "-u")
    password_stdin: bool = option("Read the password from standard input (or WASMPACK_PASSWORD).")
    registry_config: Path | None = option("Credentials file, instead of Docker's and Podman's.")
    timeout: float = option(
        "Seconds to wait for the registry's next byte.",
        type=click.FloatRange(min=0.1),
        default=30.0,
    )
    retries: int = option(
        "Tries after a first that fails, within 30 s.", type=click.IntRange(0, 10), default=4
    )

    def session(self) -> Session:
        """What they mean; the password is read or asked for."""
        if not math.isfinite(self.timeout) or self.timeout > _LONGEST_TIMEOUT:
            raise WrongUsage(f"--timeout {self.timeout}: expected seconds, at most a day")
        options = RegistryOptions(
            plain_http=self.plain_http,
            insecure=self.insecure,
            username=self.username,
            password=self._password(),
            ca_file=_readable_again(self.ca_file),
            cert_file=_readable_again(self.cert_file),
            key_file=_readable_again(self.key_file),
            registry_config=_readable_again(self.registry_config),
            timeout=self.timeout,
            retries=self.retries,
        )
        return Session(registry=options, notice=current_console().notice)

    def _password(self) -> str | None:
        if self.username is None and not self.password_stdin:
            return None
        password = _piped() if self.password_stdin else os.environ.get("WASMPACK_PASSWORD")
        if self.username is None:
            raise WrongUsage("--password-stdin needs --username")
        if password is None and sys.stdin is not None and sys.stdin.isatty():
            password = click.prompt("Password", hide_input=True, err=True)
        if password is None:
            raise WrongUsage(
                "--username needs a password", hint="--password-stdin, or WASMPACK_PASSWORD"
            )
        return password


registry_options = grouped("session", SessionOptions, SessionOptions.session)
"""The options of every command that can reach a registry."""
credentials_options = grouped(
    "session", SessionOptions, SessionOptions.session, only="registry_config"
)
"""Those of a command that reads or writes stored credentials alone."""


def _piped() -> str:
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
