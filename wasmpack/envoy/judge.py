"""A real Envoy's verdict on a module: its validate mode runs the whole load sequence."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wasmpack.confinement import allowed_environment, confined
from wasmpack.dry_run.budget import BLOCKED, Budget
from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy.binary import envoy_version, find_envoy
from wasmpack.envoy.bootstrap import Plugin, bootstrap
from wasmpack.envoy.server import plugin_errors
from wasmpack.processes import Bound, Exceeded, Limits, Starved, Watch

_ENVOY = 256 << 20
"""Bytes of memory that Envoy needs without any plugin, with a margin."""
_LOG = 1 << 20
"""Bytes of its output that are kept: a plugin can log without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyVerdict:
    """One Envoy's verdict, with its own messages."""

    version: str
    accepts: bool
    crashed: bool
    """It died of a signal: the module takes the whole proxy down."""
    words: tuple[str, ...]


def ask_envoy(
    module: bytes, start_up: StartUp | None = None, *, binary: Path | None = None
) -> EnvoyVerdict:
    """Let Envoy load a module in validate mode, in a private directory.

    Crashes with the first request only are not seen (docs/findings.md, MEM002). Envoy has the
    budgets of the dry run, and nothing of our environment.

    :param start_up: what the plugin is given; configurations are handed over as text
    :raises NotFound: Envoy is not installed
    :raises WasmpackError: the binary cannot be run
    :raises Starved: it hardly ever got its turn
    """
    start_up, binary = start_up or StartUp(), binary or find_envoy()
    version = envoy_version(binary)
    with tempfile.TemporaryDirectory(prefix="wasmpack-envoy-") as directory:
        work = Path(directory)
        (work / "plugin.wasm").write_bytes(module)
        plugin = Plugin(
            module=work / "plugin.wasm",
            configuration=_text(start_up.plugin_config),
            vm_configuration=_text(start_up.vm_config),
            env=dict(start_up.env),
            root_id=start_up.root_id,
        )
        (work / "envoy.json").write_text(json.dumps(bootstrap([plugin])))
        status, log, exceeded = _validate(binary, work, _limits(len(module), start_up.seconds))
    words = plugin_errors(log)
    if exceeded is not None:
        words = [*words, f"stopped by the dry run's bounds: {exceeded}"]
    return EnvoyVerdict(
        version=version,
        accepts=status == 0 and exceeded is None,
        crashed=status < 0 and exceeded is None,
        words=tuple(words),
    )


def _text(configuration: bytes | None) -> str | None:
    return None if configuration is None else configuration.decode(errors="replace")


def _limits(size: int, seconds: float | None) -> Limits:
    budget = Budget.of(size, seconds)
    cpu = budget.compiling + budget.running
    return Limits(cpu=cpu, memory=budget.memory + _ENVOY, blocked=BLOCKED)


def _validate(binary: Path, work: Path, limits: Limits) -> tuple[int, str, Exceeded | None]:
    """Exit status, log, and the bound that it ran into."""
    command = [str(binary), "--mode", "validate", "-c", "envoy.json", "--log-level", "error"]
    process = subprocess.Popen(
        confined(command, limits.cpu),
        cwd=work,
        env=allowed_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert process.stdout
        with Watch(process, limits) as watch, process.stdout as output:
            log = _kept(output)
            status = process.wait()
    finally:
        process.kill()
        process.wait()
    if watch.exceeded and watch.exceeded.bound is Bound.STARVED:
        raise Starved(f"{binary.name} in validate mode", watch.exceeded)
    return status, log, watch.exceeded


def _kept(output: IO[bytes]) -> str:
    """The beginning of a log; the rest is read and discarded."""
    kept = b""
    while piece := output.read(1 << 16):
        kept += piece[: _LOG - len(kept)]
    return kept.decode(errors="replace")
