"""Credentials as Docker and Podman keep them; nothing here ever prints a secret.

Looked up in this order: the command line, ``--registry-config``, ``$REGISTRY_AUTH_FILE``,
``$DOCKER_CONFIG/config.json`` or ``~/.docker/config.json``, then Podman's ``auth.json``.
In each file: the most specific key first (``host/namespace/repository`` … ``host``), a helper of
its own for the host (``credHelpers``), the entry, the common helper (``credsStore``).
"""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.oci.canonical import JsonObject, parse_json_object
from wasmpack.oci.reference import DOCKER_HUB
from wasmpack.stores.input_files import MAX_CONFIGURATION, read_named
from wasmpack.stores.output_files import update_named
from wasmpack.stores.registry.options import RegistryOptions

DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_HELPER_TIMEOUT = 30.0
"""Seconds a credential helper may take: some ask a key ring, none should hang a build."""
_TOKEN_USER = "<token>"  # noqa: S105 - Docker's mark for an identity token, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user and password, or an identity token; the secrets stay out of ``repr``."""

    username: str
    secret: str = field(repr=False)
    identity_token: bool = False

    @property
    def basic(self) -> str:
        """The value of a Basic ``Authorization`` header (RFC 7617)."""
        pair = f"{self.username}:{self.secret}".encode()
        return "Basic " + base64.b64encode(pair).decode()


def find_credential(registry: str, repository: str, options: RegistryOptions) -> Credential | None:
    """The best credential for this repository, or None for anonymous access.

    :raises WasmpackError: a file that cannot be read, a helper that fails
    """
    if options.username is not None and options.password is not None:
        return Credential(username=options.username, secret=options.password)
    if options.registry_config and not Path(options.registry_config).is_file():
        raise NotFound(f"{options.registry_config}: no such file")
    for path in auth_files(options):
        if path.is_file():
            found = _in_file(path, registry, repository)
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
    docker = os.environ.get("DOCKER_CONFIG")
    yield (Path(docker) if docker else Path.home() / ".docker") / "config.json"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    config = os.environ.get("XDG_CONFIG_HOME")
    yield (Path(config) if config else Path.home() / ".config") / "containers" / "auth.json"


def save_credential(registry: str, credential: Credential, options: RegistryOptions) -> str:
    """Keep a credential where Docker would: in its helper if it names one, else in the file.

    Returns where it went, for the user to read.
    """
    path = next(auth_files(options))
    config = _read(path) if path.is_file() else {}
    if helper := _helper(config, registry):
        login = {
            "ServerURL": _hub_key(registry),
            "Username": credential.username,
            "Secret": credential.secret,
        }
        _ask_helper(helper, "store", json.dumps(login))
        return f"docker-credential-{helper}"
    entry: JsonObject = {"auth": credential.basic.removeprefix("Basic ")}
    _change_entries(path, lambda auths: auths.update({_hub_key(registry): entry}), options)
    return str(path)


def erase_credential(registry: str, options: RegistryOptions) -> bool:
    """Forget a registry; whether there was anything to forget."""
    path = next(auth_files(options))
    config = _read(path) if path.is_file() else {}
    if helper := _helper(config, registry):
        _ask_helper(helper, "erase", _hub_key(registry))
    auths = config.get("auths")
    keys = [key for key in _keys(registry, "") if isinstance(auths, dict) and key in auths]

    def erase(auths: JsonObject) -> None:
        for key in keys:
            auths.pop(key, None)

    if keys:
        _change_entries(path, erase, options)
    return bool(keys) or helper is not None


def _change_entries(
    path: Path, change: Callable[[JsonObject], None], options: RegistryOptions
) -> None:
    """Change the entries of the file as it is by then: another process may have changed it."""

    def changed(raw: bytes) -> bytes:
        config = _parse(raw, path)
        auths = config.setdefault("auths", {})
        if not isinstance(auths, dict):
            raise BadArtifact(f"{path}: auths: expected an object")
        change(auths)
        return json.dumps(config, indent=2).encode() + b"\n"

    update_named(path, changed, options.notice)


def _in_file(path: Path, registry: str, repository: str) -> Credential | None:
    config = _read(path)
    keys = list(_keys(registry, repository))
    helpers = config.get("credHelpers")
    for key in keys:
        helper = helpers.get(key) if isinstance(helpers, dict) else None
        if isinstance(helper, str) and (found := _from_helper(helper, _hub_key(registry))):
            return found
    auths = config.get("auths")
    for key in keys:
        entry = auths.get(key) if isinstance(auths, dict) else None
        if isinstance(entry, dict) and (found := _from_entry(entry, path, key)):
            return found
    store = config.get("credsStore")
    if isinstance(store, str) and store:
        return _from_helper(store, _hub_key(registry))
    return None


def _keys(registry: str, repository: str) -> Iterator[str]:
    """Podman's path-scoped keys, longest first; then the host in the ways Docker wrote it."""
    parts = f"{registry}/{repository}".strip("/").split("/")
    for length in range(len(parts), 0, -1):
        yield "/".join(parts[:length])
    if registry == DOCKER_HUB:
        yield from (DOCKER_HUB_KEY, "index.docker.io", "https://index.docker.io")
    yield from (f"https://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/")
    yield from (f"http://{registry}", f"https://{registry}/")


def _hub_key(registry: str) -> str:
    return DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def _from_entry(entry: JsonObject, path: Path, key: str) -> Credential | None:
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Credential(username=_TOKEN_USER, secret=token, identity_token=True)
    encoded = entry.get("auth")
    if not isinstance(encoded, str) or not encoded:
        return None
    try:
        text = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadArtifact(f"{path}: auths.{key}.auth is not base64") from None
    username, _, secret = text.partition(":")
    return Credential(username=username, secret=secret.rstrip("\0"))


def _from_helper(helper: str, server: str) -> Credential | None:
    answer = _ask_helper(helper, "get", server)
    if answer is None:
        return None
    try:
        found = json.loads(answer)
        username, secret = str(found["Username"]), str(found["Secret"])
    except (ValueError, KeyError, TypeError):
        raise WasmpackError(f"docker-credential-{helper} gave no usable answer") from None
    return Credential(username=username, secret=secret, identity_token=username == _TOKEN_USER)


def _helper(config: JsonObject, registry: str) -> str | None:
    helpers = config.get("credHelpers")
    own = helpers.get(registry) if isinstance(helpers, dict) else None
    found = own or config.get("credsStore")
    return found if isinstance(found, str) and found else None


def _ask_helper(helper: str, verb: str, text: str) -> str | None:
    """Run a helper by Docker's protocol; None if it says that it has nothing for this server."""
    program = f"docker-credential-{helper}"
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen([program, verb], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    except FileNotFoundError:
        raise WasmpackError(
            f"the credential helper {program} is not on the PATH",
            hint="install it, or take it out of the Docker configuration",
        ) from None
    except OSError as error:
        raise WasmpackError(f"the credential helper {program}: {error.strerror}") from error
    try:
        out, complaint = process.communicate(text, timeout=_HELPER_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:  # its children may keep the other ends open: they are not waited for
                stream.close()
        raise WasmpackError(
            f"{program} did not answer within {_HELPER_TIMEOUT:g} s",
            hint=f"{program} get, by hand, may say what it waits for",
        ) from None
    except UnicodeDecodeError:
        raise WasmpackError(f"{program} {verb} answered with what is no text") from None
    if process.returncode == 0:
        return out
    if "credentials not found" in out + complaint:
        return None
    raise WasmpackError(f"{program} {verb} failed with exit code {process.returncode}")


def _read(path: Path) -> JsonObject:
    return _parse(read_named(path, MAX_CONFIGURATION), path)


def _parse(raw: bytes, path: Path) -> JsonObject:
    return parse_json_object(raw, str(path)) if raw.strip() else {}
