"""An Envoy process from its start to its end."""

import contextlib
import http.client
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wasmpack.confinement import allowed_environment, confined
from wasmpack.envoy.binary import find_envoy
from wasmpack.envoy.bootstrap import Plugin, bootstrap
from wasmpack.errors import WasmpackError

_START_TIMEOUT = 60.0
"""Seconds until it listens; most of them for compiling a large module."""
_STOP_TIMEOUT = 10.0
_REQUEST_TIMEOUT = 20.0
_POLL = 0.05


class EnvoyRefused(WasmpackError):
    """Envoy ended before it served, or died later; ``log`` is its output."""

    def __init__(self, status: int | None, log: str) -> None:
        why = "crashed" if status is not None and status < 0 else "ended"
        words = "; ".join(plugin_errors(log)) or "its log names no plugin error"
        super().__init__(f"Envoy {why} with status {status}: {words[:600]}")
        self.status = status
        self.log = log


_WASM_ERROR = re.compile(r"\[(?:error|critical)\]\[wasm\] \[[^\]]*\]\s*(.*)")


def plugin_errors(log: str) -> list[str]:
    """Errors that Envoy's wasm code logged, in order, each once."""
    return list(dict.fromkeys(_WASM_ERROR.findall(log)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer through the plugins; header names are lower case, the last value wins."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RunningEnvoy:
    """An Envoy that serves on the loopback interface."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self._process = process
        self._log = log
        self.port = port

    def get(
        self, path: str = "/", headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Response:
        """Send one request.

        :raises EnvoyRefused: the process died of it
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_REQUEST_TIMEOUT)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            raise EnvoyRefused(self._process.poll(), self.log()) from error
        finally:
            connection.close()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(status=answer.status, headers=found, body=body)

    def log(self) -> str:
        """All it has written so far."""
        return self._log.read_text(errors="replace")


@contextlib.contextmanager
def running_envoy(
    plugins: Sequence[Plugin], *, binary: Path | None = None, answer: str = "hello\n"
) -> Iterator[RunningEnvoy]:
    """Start Envoy with these plugins; it is stopped and its files are gone when the block ends.

    :raises NotFound: Envoy is not installed
    :raises EnvoyRefused: it does not accept the plugins
    """
    with tempfile.TemporaryDirectory(prefix="wasmpack-envoy-") as directory:
        work = Path(directory)
        (work / "envoy.json").write_text(json.dumps(bootstrap(plugins, answer=answer)))
        process = _start(binary or find_envoy(), work)
        try:
            yield RunningEnvoy(process, work / "log", _wait(process, work))
        finally:
            _stop(process)


def _start(binary: Path, work: Path) -> subprocess.Popen[bytes]:
    with (work / "log").open("wb") as log:
        command = [str(binary), "-c", "envoy.json", "--log-level", "info", "--use-dynamic-base-id"]
        command += ["--admin-address-path", "admin", "--concurrency", "1", "--log-path", "log"]
        return subprocess.Popen(
            confined(command),
            cwd=work,
            env=allowed_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _wait(process: subprocess.Popen[bytes], work: Path) -> int:
    """The listener's port, once it accepts connections."""
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EnvoyRefused(process.returncode, (work / "log").read_text(errors="replace"))
        port = _listener_port(work / "admin")
        if port is not None:
            return port
        time.sleep(_POLL)
    raise EnvoyRefused(None, (work / "log").read_text(errors="replace"))


def _listener_port(admin: Path) -> int | None:
    """Query the admin interface; None until it and the listener are up."""
    try:
        host, _, port = admin.read_text().strip().rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=_REQUEST_TIMEOUT)
        try:
            connection.request("GET", "/listeners?format=json")
            found = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return int(found["listener_statuses"][0]["local_address"]["socket_address"]["port_value"])
    except (OSError, ValueError, KeyError, IndexError, http.client.HTTPException):
        return None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
