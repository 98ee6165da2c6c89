"""Credentials as Docker and Podman keep them; nothing here ever prints a secret.

Looked up in this order: the command line, ``--registry-config``, ``$REGISTRY_AUTH_FILE``,
``$DOCKER_CONFIG/config.json`` or ``~/.docker/config.json``, then Podman's ``auth.json``.
In each file: the most specific key first (``host/namespace/repository`` … ``host``), a helper of
its own for the host (``credHelpers``), the entry, the common helper (``credsStore``).
"""

import base64
import errno
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound, Notice, silence
from wasmpack.files.directories import explained, open_regular
from wasmpack.files.home import below_home
from wasmpack.files.outputs import update_named
from wasmpack.oci.canonical import Fields, JsonObject, find, parse_json_object
from wasmpack.oci.reference import DOCKER_HUB
from wasmpack.redaction import remember_secret
from wasmpack.stores.registry.helpers import ask_helper, helper_named, login_from
from wasmpack.stores.registry.options import RegistryOptions

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_LARGEST_FILE = 4 * 1024 * 1024
_TOKEN_USER = "<token>"  # noqa: S105 - Docker's mark for an identity token, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and password, or an identity token; the secrets stay out of ``repr``."""

    username: str
    secret: str = field(repr=False)
    identity_token: bool = False

    def __post_init__(self) -> None:
        remember_secret(self.secret, f"{self.username}:{self.secret}")

    @property
    def basic(self) -> str:
        """The value of a Basic ``Authorization`` header (RFC 7617)."""
        pair = f"{self.username}:{self.secret}".encode(errors="surrogateescape")
        return "Basic " + base64.b64encode(pair).decode()


def find_credential(
    registry: str, repository: str, options: RegistryOptions, notice: Notice = silence
) -> Credential | None:
    """The best credential for this repository, or None for anonymous access.

    :raises WasmpackError: a file that cannot be read, a helper that fails
    """
    if options.username is not None and options.password is not None:
        return Credential(username=options.username, secret=options.password)
    for path in auth_files(options):
        config = _usable(path, options, notice)
        found = _in_file(config, registry, repository) if config else None
        if found is not None:
            return found
    return None


def auth_files(options: RegistryOptions) -> Iterator[Path]:
    """Files in the order of the search; the first is where ``login`` writes."""
    if options.registry_config:
        yield Path(options.registry_config)
        return
    if named := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if docker := below_home("DOCKER_CONFIG", ".docker"):
        yield docker / "config.json"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    if config := below_home("XDG_CONFIG_HOME", ".config"):
        yield config / "containers" / "auth.json"


def _own_file(options: RegistryOptions) -> Path:
    """The file that is written.

    :raises NotFound: none without a home directory
    """
    for path in auth_files(options):
        return path
    raise NotFound(
        "no home directory for credentials",
        hint="export DOCKER_CONFIG=DIRECTORY, or --registry-config FILE",
    )


def save_credential(
    registry: str, credential: Credential, options: RegistryOptions, notice: Notice = silence
) -> str:
    """Keep a credential where Docker would: in its helper if it names one, else in the file.

    Returns where it went, for the user to read.
    """
    path = _own_file(options)
    config = _read(path) if path.is_file() else _parse(b"", path)
    if helper := _helper(config, registry):
        login = {
            "ServerURL": _hub_key(registry),
            "Username": credential.username,
            "Secret": credential.secret,
        }
        ask_helper(helper, "store", json.dumps(login))
        return helper
    entry: JsonObject = {"auth": credential.basic.removeprefix("Basic ")}
    _change_entries(path, lambda auths: auths.update({_hub_key(registry): entry}), notice)
    return str(path)


def erase_credential(registry: str, options: RegistryOptions, notice: Notice = silence) -> bool:
    """Forget a registry; whether there was anything to forget."""
    path = _own_file(options)
    config = _read(path) if path.is_file() else _parse(b"", path)
    if helper := _helper(config, registry):
        ask_helper(helper, "erase", _hub_key(registry))
    auths = find(config.value, dict, "auths") or {}
    keys = [key for key in _keys(registry, "") if key in auths]

    def erase(auths: JsonObject) -> None:
        for key in keys:
            auths.pop(key, None)

    if keys:
        _change_entries(path, erase, notice)
    return bool(keys) or helper is not None


def _change_entries(path: Path, change: Callable[[JsonObject], None], notice: Notice) -> None:
    """Change the entries of the file as it is by then: another process may have changed it."""

    def changed(raw: bytes) -> bytes:
        config = _parse(raw, path)
        config.value.setdefault("auths", {})
        change(config.required(dict, "auths"))
        return json.dumps(config.value, indent=2).encode() + b"\n"

    update_named(path, changed, notice)


def _in_file(config: Fields, registry: str, repository: str) -> Credential | None:
    keys = list(_keys(registry, repository))
    helpers = config.within("credHelpers")
    for key in keys:
        program = _program(helpers, key)
        if program and (found := _from_helper(program, registry)):
            return found
    auths = config.within("auths")
    for key in keys:
        if auths.value.get(key) and (found := _from_entry(auths.within(key))):
            return found
    helper = _helper(config, registry)
    return _from_helper(helper, registry) if helper else None


def _helper(config: Fields, registry: str) -> str | None:
    """The program for this host, else for all; an empty name means none for this host."""
    helpers = config.within("credHelpers")
    if registry in helpers.value:
        return _program(helpers, registry)
    return _program(config, "credsStore")


def _program(names: Fields, key: str) -> str | None:
    name = names.value.get(key)
    return helper_named(name, names.place(key)) if name else None


def _from_helper(program: str, registry: str) -> Credential | None:
    login = login_from(program, _hub_key(registry))
    if login is None:
        return None
    username, secret = login
    return Credential(username=username, secret=secret, identity_token=username == _TOKEN_USER)


def _keys(registry: str, repository: str) -> Iterator[str]:
    """Podman's path-scoped keys, longest first; then the host in the ways Docker wrote it."""
    parts = f"{registry}/{repository}".strip("/").split("/")
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])
    if registry == DOCKER_HUB:
        yield from (DOCKER_HUB_KEY, "index.docker.io", "https://index.docker.io")
    for scheme in ("https://", "http://", ""):
        for tail in ("", "/", "/v1/", "/v2/", "/v1", "/v2"):
            if scheme or tail:
                yield f"{scheme}{registry}{tail}"


def _hub_key(registry: str) -> str:
    return DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def _from_entry(entry: Fields) -> Credential | None:
    """A login as Docker writes it, encoded; or in plain text, which it reads as well."""
    token, encoded, username, password = (
        entry.required(str, key) if entry.value.get(key) else ""
        for key in ("identitytoken", "auth", "username", "password")
    )
    if token:
        return Credential(username=_TOKEN_USER, secret=token, identity_token=True)
    if not encoded:
        return Credential(username=username, secret=password) if username and password else None
    try:
        username, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # binascii's and Unicode's are such
        colon = ""
    if not colon:
        raise BadArtifact(f"{entry.place('auth')}: expected USER:PASSWORD in base64")
    return Credential(username=username, secret=secret.rstrip("\0"))


def _usable(path: Path, options: RegistryOptions, notice: Notice) -> Fields | None:
    """A file's content; None if it is not there, or cannot be opened and nobody named it."""
    try:
        return _read(path)
    except (OSError, ValueError) as error:
        if options.registry_config:
            with explained(path):
                raise
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            reason = getattr(error, "strerror", None) or error
            notice(f"{path}: {reason}; going on without it")
    return None


def _read(path: Path) -> Fields:
    """Read a credentials file.

    :raises OSError, ValueError: it cannot be opened; pipes and devices count as not there
    :raises BadArtifact: not JSON, not an object, too large
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with open_regular(path) as file:
        raw = file.read(_LARGEST_FILE + 1)
    if len(raw) > _LARGEST_FILE:
        raise BadArtifact(f"{path}: more than {_LARGEST_FILE} bytes: not a credentials file")
    return _parse(raw, path)


def _parse(raw: bytes, path: Path) -> Fields:
    value = parse_json_object(raw, str(path)) if raw.strip() else {}
    return Fields(value, str(path), separator=": ", secret=True)
