"""The real Envoy's word on a module: its validate mode runs the whole load sequence."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wasmpack.envoy.binary import envoy_version, find_envoy
from wasmpack.envoy.bootstrap import Plugin, bootstrap
from wasmpack.envoy.server import plugin_errors

_TIMEOUT = 30
"""Seconds; compiling a large module takes most of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyVerdict:
    """What one Envoy said, in its own words."""

    version: str
    accepts: bool
    crashed: bool
    """It died of a signal: the module takes the whole proxy down."""
    words: tuple[str, ...]


def ask_envoy(
    module: bytes,
    *,
    configuration: bytes | None = None,
    root_id: str = "",
    binary: Path | None = None,
) -> EnvoyVerdict:
    """Let Envoy load a module in validate mode, in a directory of its own.

    What crashes with the first request only is not seen (docs/findings.md, MEM002).

    :param configuration: the plugin configuration as text; None gives none
    :raises NotFound: no Envoy on this machine
    :raises WasmpackError: the binary cannot be run
    """
    binary = binary or find_envoy()
    with tempfile.TemporaryDirectory(prefix="wasmpack-envoy-") as directory:
        work = Path(directory)
        (work / "plugin.wasm").write_bytes(module)
        text = None if configuration is None else configuration.decode(errors="replace")
        plugin = Plugin(module=work / "plugin.wasm", configuration=text, root_id=root_id)
        (work / "envoy.json").write_text(json.dumps(bootstrap([plugin])))
        done = _validate(binary, work)
    version = envoy_version(binary)
    if done is None:
        words = (f"it did not end within {_TIMEOUT} s: start-up code that never returns?",)
        return EnvoyVerdict(version=version, accepts=False, crashed=False, words=words)
    return EnvoyVerdict(
        version=version,
        accepts=done.returncode == 0,
        crashed=done.returncode < 0,
        words=tuple(plugin_errors(done.stdout)),
    )


def _validate(binary: Path, work: Path) -> subprocess.CompletedProcess[str] | None:
    """None if it did not end."""
    command = [str(binary), "--mode", "validate", "-c", "envoy.json", "--log-level", "error"]
    try:
        return subprocess.run(
            command,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
