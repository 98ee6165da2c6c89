"""An Envoy process from its start to its end, which is never later than ours."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

from wasmpack.confinement import allowed_environment, kept
from wasmpack.dry_run.budget import BLOCKED, Budget
from wasmpack.envoy.bootstrap import LISTENERS, bootstrap, resources, unix_socket
from wasmpack.envoy.log import OPTIONS, Log, envoy_errors
from wasmpack.envoy.messages import LogLine
from wasmpack.errors import WasmpackError
from wasmpack.oci.canonical import JsonObject
from wasmpack.processes import Bound, Limits, Starved, Watch, end, sleeps

_ENVOY = 256 << 20
"""Bytes of memory that Envoy needs without any plugin, with a margin."""
_LOG_SIZE = 64 << 20
"""Bytes of its log: a plugin can log without end."""
_CONFIGURATION, _ADMIN, _LOG = "envoy.json", "admin", "log"
_POLL = 0.01
_ANSWER = 20.0
"""Seconds for an answer of the admin interface."""
_REQUEST_CPU = 10.0
"""Seconds of CPU time for one request."""
_FOREVER = float("inf")
_LONGEST_SOCKET = 100
"""Bytes of the name of a Unix socket (unix(7) allows 108, macOS 104)."""


class EnvoyRefused(WasmpackError):
    """Envoy does not run these plugins: refused, or died; ``words`` are its own."""

    exit_code = 3

    def __init__(self, what: str, words: Sequence[str], *, crashed: bool = False) -> None:
        said = "; ".join(words) or "its log names no plugin error"
        super().__init__(f"{what}: {said[:600]}")
        self.words = tuple(words)
        self.crashed = crashed


class EnvoyProcess:
    """An Envoy in its own directory, both gone when the context ends."""

    def __init__(
        self,
        listeners: Sequence[JsonObject],
        clusters: Sequence[JsonObject] = (),
        *,
        binary: Path,
        budget: Budget,
        files: Mapping[str, bytes],
        log_level: str = "info",
    ) -> None:
        """Prepare it.

        :param budget: for loading all modules
        :param files: of its directory
        :param log_level: from which on lines of plugins are logged
        """
        self._listeners, self._clusters = listeners, clusters
        self._binary, self._log_level = binary, log_level
        self._budget, self._files = budget, files
        self._memory = self._budget.memory + _ENVOY
        self._watch: Watch | None = None
        """The one that watches it now."""

    def __enter__(self) -> Self:
        self._work = Path(tempfile.mkdtemp(prefix="wasmpack-envoy-"))
        try:
            self._process = self._start()
            self.log = Log(self._work / _LOG)
            self._wait_for_load()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        process = getattr(self, "_process", None)
        if process is not None:
            end(process)
            process.wait()
            process.stdin.close()
        shutil.rmtree(self._work, ignore_errors=True)

    def _start(self) -> subprocess.Popen[bytes]:
        command = [str(self._binary), "-c", _CONFIGURATION, "--concurrency", "1"]
        command += ["--disable-hot-restart", "--log-level", "info", *OPTIONS]
        command += ["--component-log-level", f"wasm:{self._log_level}"]
        with (self._work / _LOG).open("wb") as log:
            process = subprocess.Popen(
                kept(command, str(self._work), _LOG_SIZE),
                cwd=self._work,
                env=allowed_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._process = process
        admin = bootstrap(self._clusters, admin=unix_socket(_ADMIN))
        (self._work / _CONFIGURATION).write_text(json.dumps(admin))
        (self._work / LISTENERS).write_text(json.dumps(resources(self._listeners)))
        for name, data in self._files.items():
            (self._work / name).write_bytes(data)
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):
            os.write(process.stdin.fileno(), b"!")
        return process

    def _wait_for_load(self) -> None:
        cpu = self._budget.compiling + self._budget.running
        limits = Limits(cpu=cpu, memory=self._memory, blocked=BLOCKED)
        with self._within(limits):
            while not self.log.started:
                self.log.read()
                if self._process.poll() is not None:
                    self.raise_end("while it loaded the plugins")
                time.sleep(_POLL)
        self.log.read()

    @contextlib.contextmanager
    def _within(self, limits: Limits) -> Iterator[None]:
        """End it at these limits."""
        with Watch(self._process, limits) as watch:
            self._watch = watch
            try:
                yield
            finally:
                self._watch = None

    @contextlib.contextmanager
    def watched(self, asleep: float = 0.0, *, serving: str = "a request") -> Iterator[None]:
        """Bound the CPU time and the memory of what a plugin does meanwhile.

        :param asleep: seconds that the upstream may take, in addition to those of the plugin
        :param serving: what the proxy serves, for messages
        :raises EnvoyRefused: Envoy died of it, or was ended at the bounds
        """
        if self._watch:  # whoever watches it already says why it ended
            yield
            return
        now = Watch(self._process, Limits(cpu=_FOREVER, memory=self._memory)).cpu
        limits = Limits(cpu=now + _REQUEST_CPU, memory=self._memory, blocked=BLOCKED + asleep)
        with self._within(limits):
            try:
                yield
            except (OSError, http.client.HTTPException):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(1)
                if self._process.poll() is None:
                    raise
                self.raise_end(f"while it served {serving}", blocked=", which is held")

    def busy(self) -> bool:
        """True while it works, or waits for its turn."""
        return self._process.poll() is None and not sleeps(self._process.pid)

    def check(self, when: str = "") -> None:
        """:raises EnvoyRefused: it has ended"""
        if self._process.poll() is not None:
            self.raise_end(when)

    def raise_end(self, when: str, *, blocked: str = "") -> NoReturn:
        """Raise the reason why the process ended.

        :param blocked: what else is known if it ended because it was blocked

        :raises EnvoyRefused, Starved: always
        """
        self.log.read()
        status = self._process.wait()
        words = envoy_errors(self.log.lines)
        exceeded = self._watch.exceeded if self._watch else None
        if exceeded is not None and exceeded.bound is Bound.STARVED:
            raise Starved(self._binary.name, exceeded)
        if exceeded is not None:
            when += blocked if exceeded.bound is Bound.BLOCKED else ""
            raise EnvoyRefused(f"Envoy was stopped {when}", [str(exceeded), *words])
        if status == -signal.SIGXFSZ:
            much = f"the plugins logged more than {_LOG_SIZE >> 20} MiB"
            raise EnvoyRefused(f"Envoy was stopped {when}", [much])
        crashed = status < 0
        how = f"crashed ({signal.Signals(-status).name})" if crashed else f"ended with {status}"
        last = [self.log.last] if self.log.last and not words else []
        raise EnvoyRefused(f"Envoy {how} {when}".rstrip(), words or last, crashed=crashed)

    def errors_since(self, mark: int) -> list[LogLine]:
        """Lines logged since there were so many."""
        self.log.read()
        return self.log.lines[mark:]

    def admin(self, path: str) -> bytes:
        """The answer of the admin interface; no other user can reach it.

        :raises OSError: it is gone
        """
        connection = _UnixConnection(self._work / _ADMIN)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def ports(self) -> dict[str, int]:
        """Ports of the listeners that were loaded, by name."""
        value: Any = json.loads(self.admin("/listeners?format=json"))
        rows = value.get("listener_statuses", ())
        return {row["name"]: row["local_address"]["socket_address"]["port_value"] for row in rows}

    def refusals(self) -> dict[str, str]:
        """Envoy's reasons, by name of the listeners that it refused."""
        mask = "/config_dump?resource=dynamic_listeners&mask=name,error_state.details"
        value: Any = json.loads(self.admin(mask))
        rows = [row for row in value.get("configs", ()) if "error_state" in row and "name" in row]
        return {row["name"]: row["error_state"]["details"] for row in rows}

    def stats(self) -> dict[str, int]:
        """Counters and gauges, by name."""
        lines = self.admin("/stats?type=All").decode(errors="replace").splitlines()
        pairs = (line.rpartition(": ") for line in lines)
        return {name: int(value) for name, _, value in pairs if value.isdigit()}


class _UnixConnection(http.client.HTTPConnection):
    """HTTP on a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        if len(os.fsencode(self._path)) <= _LONGEST_SOCKET:
            self.sock.connect(str(self._path))
            return
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:  # proc(5): a short name for it, where there is /proc
            self.sock.connect(f"/proc/self/fd/{directory}/{self._path.name}")
        except FileNotFoundError as error:
            raise WasmpackError(
                f"{self._path}: too long for a socket", hint="set TMPDIR to a shorter directory"
            ) from error
        finally:
            os.close(directory)
