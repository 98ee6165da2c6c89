"""The files, and the variable, that hold credentials: where they are, and what they are."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

from wasmpack.errors import BadArtifact, NotFound, Notice
from wasmpack.files.directories import explained, open_regular
from wasmpack.files.home import below_home, home_directory
from wasmpack.oci.canonical import Fields, parse_json_object
from wasmpack.stores.registry.options import RegistryOptions

_LARGEST_FILE = 4 * 1024 * 1024
_NAMED_FILE, _NAMED_DIRECTORY = "REGISTRY_AUTH_FILE", "DOCKER_CONFIG"
_VARIABLE = "DOCKER_AUTH_CONFIG"
"""Content of a configuration, as GitLab's runners and docker have it."""
_RUN = Path("/run/containers")
"""Podman's directory for logins of a user without a session: root in CI."""


def configurations(options: RegistryOptions, notice: Notice) -> Iterator[Fields]:
    """Readable configurations, in search order.

    :raises BadArtifact: the one that ``--registry-config`` names is not a configuration
    """
    if not options.registry_config and (text := os.environ.get(_VARIABLE)):
        try:
            yield parse(text.encode(errors="surrogateescape"), _VARIABLE)
        except BadArtifact as error:
            notice(f"warning: {error.message}; going on without it")
    paths = list(auth_files(options))
    if not options.registry_config and not os.environ.get("XDG_RUNTIME_DIR"):
        paths.append(_RUN / str(os.getuid()) / "auth.json")
    for path in paths:
        config = _usable(path, options, notice)
        if config is not None:
            yield config
    home = home_directory()
    if home and not options.registry_config:
        legacy = _usable(home / ".dockercfg", options, notice)
        if legacy is not None:  # the entries alone, without "auths" around them
            yield Fields({"auths": legacy.value}, legacy.place(""), secret=True)


def auth_files(options: RegistryOptions) -> Iterator[Path]:
    """Files in the order of the search; the first is where ``login`` writes."""
    if options.registry_config:
        yield Path(options.registry_config)
        return
    if named := os.environ.get(_NAMED_FILE):
        yield Path(named)
    if docker := below_home(_NAMED_DIRECTORY, ".docker"):
        yield docker / "config.json"
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"
    if config := below_home("XDG_CONFIG_HOME", ".config"):
        yield config / "containers" / "auth.json"


def own_file(options: RegistryOptions) -> Path:
    """The file that is written.

    :raises NotFound: none without a home directory
    """
    for path in auth_files(options):
        return path
    raise NotFound(
        "no home directory for credentials",
        hint="export DOCKER_CONFIG=DIRECTORY, or --registry-config FILE",
    )


def _usable(path: Path, options: RegistryOptions, notice: Notice) -> Fields | None:
    """A file's content; None if it is not there, or cannot be read and nobody named it."""
    try:
        return read_file(path)
    except BadArtifact as error:
        if options.registry_config:
            raise
        notice(f"warning: {error.message}; going on without it")
    except (OSError, ValueError) as error:
        if options.registry_config:
            with explained(path):
                raise
        if not isinstance(error, FileNotFoundError | NotADirectoryError) or _named_in_vain(path):
            reason = getattr(error, "strerror", None) or error
            notice(f"{path}: {reason}; going on without it")
    return None


def _named_in_vain(path: Path) -> bool:
    """A variable names it, or its directory, and nothing is there; a device is, and holds nothing.

    A directory without a configuration is Docker's way to have none.
    """
    if (file := os.environ.get(_NAMED_FILE)) and path == Path(file):
        return not path.exists()
    directory = os.environ.get(_NAMED_DIRECTORY)
    return bool(directory) and path.parent == Path(directory or "") and not path.parent.exists()


def read_file(path: Path) -> Fields:
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
    return parse(raw, path)


def parse(raw: bytes, path: Path | str) -> Fields:
    value = parse_json_object(raw, str(path)) if raw.strip() else {}
    return Fields(value, str(path), separator=": ", secret=True)
