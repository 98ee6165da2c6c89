"""Credentials as Docker and Podman keep them; nothing here ever prints a secret.

Looked up in this order: the command line, ``--registry-config``, ``$DOCKER_AUTH_CONFIG``,
``$REGISTRY_AUTH_FILE``, ``$DOCKER_CONFIG/config.json`` or ``~/.docker/config.json``, Podman's
``auth.json``, then ``~/.dockercfg``.
In each file: the most specific key first (``host/namespace/repository`` … ``host``), the
helper for this host (``credHelpers``), the entry, the common helper (``credsStore``).
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wasmpack.errors import BadArtifact, Notice, WasmpackError, silence
from wasmpack.files.outputs import update_named
from wasmpack.oci.canonical import Fields, JsonObject, find
from wasmpack.oci.reference import DOCKER_HUB
from wasmpack.redaction import remember_secret
from wasmpack.stores.registry.auth_files import configurations, own_file, parse, read_file
from wasmpack.stores.registry.helpers import ask_helper, helper_named, login_from
from wasmpack.stores.registry.options import RegistryOptions

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = {DOCKER_HUB, "index.docker.io", "registry-1.docker.io"}
_TOKEN_USER = "<token>"  # noqa: S105 - Docker's mark for an identity token, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and password, or an identity token; the secrets stay out of ``repr``."""

    username: str
    secret: str = field(repr=False)
    identity_token: bool = False
    registry_token: bool = False
    """The secret is what a token server would answer."""

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

    A login that is malformed is left out with a warning, for a public image needs none.

    :raises BadArtifact: it is malformed in the file that ``--registry-config`` names
    """
    if options.username is not None and options.password is not None:
        return Credential(username=options.username, secret=options.password)
    for config in () if options.anonymous else configurations(options, notice):
        try:
            found = _in_file(config, registry, repository, notice)
        except BadArtifact as error:
            if options.registry_config:
                raise
            notice(f"warning: {error.message}; going on without it")
            continue
        if found:
            return found
    return None


def save_credential(
    registry: str, credential: Credential, options: RegistryOptions, notice: Notice = silence
) -> str:
    """Keep a credential where Docker would: in its helper if it names one, else in the file.

    Returns where it went, for the user to read.
    """
    path = own_file(options)
    config = read_file(path) if path.is_file() else parse(b"", path)
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
    path = own_file(options)
    config = read_file(path) if path.is_file() else parse(b"", path)
    if helper := _helper(config, registry):
        ask_helper(helper, "erase", _hub_key(registry))
    auths = find(config.value, dict, "auths") or {}
    known = (*_keys(registry, ""), *_other_keys(registry, config.within("auths")))
    keys = [key for key in known if key in auths]

    def erase(auths: JsonObject) -> None:
        for key in keys:
            auths.pop(key, None)

    if keys:
        _change_entries(path, erase, notice)
    return bool(keys) or helper is not None


def _change_entries(path: Path, change: Callable[[JsonObject], None], notice: Notice) -> None:
    """Change the entries of the file as it is by then: another process may have changed it."""

    def changed(raw: bytes) -> bytes:
        config = parse(raw, path)
        config.value.setdefault("auths", {})
        change(config.required(dict, "auths"))
        return json.dumps(config.value, indent=2).encode() + b"\n"

    update_named(path, changed, notice)


def _in_file(config: Fields, registry: str, repository: str, notice: Notice) -> Credential | None:
    auths, helpers = config.within("auths"), config.within("credHelpers")
    for key in _keys(registry, repository):
        program = _program(helpers, key)
        if program and (found := _from_helper(program, registry, notice)):
            return found
    for key in (*_keys(registry, repository), *_other_keys(registry, auths)):
        if auths.value.get(key) and (found := _from_entry(auths.within(key))):
            return found
    if registry in helpers.value:  # asked above, or none for this host
        return None
    helper = _helper(config, registry)
    return _from_helper(helper, registry, notice) if helper else None


def _helper(config: Fields, registry: str) -> str | None:
    """The program for this host, else for all; an empty name means none for this host."""
    helpers = config.within("credHelpers")
    if registry in helpers.value:
        return _program(helpers, registry)
    return _program(config, "credsStore")


def _program(names: Fields, key: str) -> str | None:
    name = names.value.get(key)
    return helper_named(name, names.place(key)) if name else None


def _from_helper(program: str, registry: str, notice: Notice) -> Credential | None:
    """None if it has nothing, or fails: a public image needs no credentials."""
    try:
        login = login_from(program, _hub_key(registry))
    except WasmpackError as error:
        notice(f"warning: {error.message}; going on without it")
        return None
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


def _other_keys(registry: str, auths: Fields) -> Iterator[str]:
    """URLs of the host with any path, which docker reads for their host alone."""
    names = _HUB_NAMES if registry == DOCKER_HUB else {registry.lower()}
    for key in auths.value:
        scheme, separator, rest = key.partition("://")
        url = separator and scheme.lower() in {"http", "https"}
        if url and rest.partition("/")[0].lower() in names:
            yield key


def _hub_key(registry: str) -> str:
    return DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def _from_entry(entry: Fields) -> Credential | None:
    """A login as Docker writes it, encoded; or in plain text, which it reads as well."""
    token, bearer, encoded, username, password = (
        entry.required(str, key) if entry.value.get(key) else ""
        for key in ("identitytoken", "registrytoken", "auth", "username", "password")
    )
    if bearer:
        return Credential(username=_TOKEN_USER, secret=bearer, registry_token=True)
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
