"""``wasmpack run``: what is sent through a plugin, what it changed, and why a plugin fails."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Cli
from support.output_schema import check_output
from support.plugins import PLUGINS, binary, wat
from support.running import AS_FROM_A_TERMINAL

from wasmpack.envoy.upstream import Upstream

pytestmark = pytest.mark.envoy

X_WAT = PLUGINS / "x-wat.wat"
LOG = """(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))"""
HELD = wat(
    '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))'
)
ON_REQUEST = '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {})'
LOCAL = """(import "env" "proxy_send_local_response"
    (func $local (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))"""


def test_what_a_plugin_changes_is_shown(cli: Cli) -> None:
    done = cli("run", X_WAT, "--request", "GET /hello", "-H", "a: 1")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "GET /hello"
    assert "    a: 1" in lines
    assert "  + x-wat: hello" in lines
    assert not [line for line in lines if line.startswith("  -")]


def test_json_has_each_end(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("some text")
    done = cli("run", X_WAT, "--plugin-config", "config", "--request", "POST /a", "--request", "/b",
               "-d", "hi", "--format", "json")  # fmt: skip
    found = json.loads(done.out)
    check_output("run", found)
    assert found["schemaVersion"] == 1
    first, second = found["requests"]
    assert first["request"]["method"] == first["upstreamRequest"]["method"] == "POST"
    assert first["upstreamRequest"]["body"] == "hi"
    assert second["request"]["path"] == "/b"
    assert first["changes"] == {
        "request": [],
        "response": [{"part": "header", "name": "x-wat", "before": None, "after": "some text"}],
    }


def test_an_answer_of_the_plugin_and_its_log(cli: Cli, tmp_path: Path) -> None:
    body = """(drop (call $log (i32.const 3) (i32.const 1000) (i32.const 5)))
        (drop (call $local (i32.const 418) (i32.const 0) (i32.const 0) (i32.const 1000)
        (i32.const 5) (i32.const 0) (i32.const 0) (i32.const -1))) (i32.const 1)"""
    data = '(data (i32.const 1000) "a\\1b[m\\n")'
    (tmp_path / "x.wasm").write_bytes(wat(data + ON_REQUEST.format(body), LOG + LOCAL))
    done = cli("run", "x.wasm", "--request", "GET /")
    assert "  the request did not reach the upstream" in done.out.splitlines()
    assert "    418" in done.out.splitlines()
    assert "    warning  x.wasm: a\\x1b[m" in done.out
    assert "\x1b" not in done.out


BROKEN = {
    "a missing import": (
        wat(imports='(import "env" "proxy_foo" (func))'),
        "missing import: env.proxy_foo", "wasmpack explain ABI002",
    ),
    "a refused configuration": (
        wat('(func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 0))'),
        "Failed to configure base Wasm plugin", "proxy_on_configure",
    ),
    "a trap at the start": (
        wat('(func (export "_initialize") (unreachable))'),
        "unreachable", "wasmpack explain RUN001",
    ),
    "no module": (b"hello", "", "wasm"),
    "no marker": (binary('(module (memory (export "memory") 1))'), "", "wasmpack explain ABI001"),
    "a crash": (
        wat(ON_REQUEST.format("(drop (call $continue (i32.const 1))) (i32.const 0)"),
            '(import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))'),
        "Envoy crashed (SIG", "wasmpack explain RUN008",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("module", "words", "hint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_says_what_to_fix(
    module: bytes, words: str, hint: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "x.wasm").write_bytes(module)
    done = cli("run", "x.wasm", "--request", "/")
    assert (done.code, done.out) == (3, "")
    error, _, hints = done.err.partition("hint:")
    assert words in error
    assert hint in hints
    assert "Traceback" not in done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "words"),
    [
        (wat(ON_REQUEST.format("(loop $l (br $l)) (i32.const 0)")), "s of CPU time"),
        (HELD, "blocked for"),
    ],
    ids=["loop", "held"],
)
def test_a_request_that_never_ends_ends_in_a_message(
    module: bytes, words: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "x.wasm").write_bytes(module)
    done = cli("run", "x.wasm", "--request", "/")
    assert done.code == 3
    assert words in done.err


def test_images_and_resources_in_the_order_of_the_mesh(cli: Cli, tmp_path: Path) -> None:
    def resource(name: str, priority: int, phase: str) -> str:
        return f"""apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: {name}, namespace: shop}}
spec:
  url: oci://quay.io/me/plugin:v1
  phase: {phase}
  priority: {priority}
  pluginConfig: {{of: {name}}}
"""

    assert cli("build", X_WAT, "-t", "quay.io/me/plugin:v1", "--no-git").code == 0
    names = [("last", 1, "AUTHN"), ("first", 2, "AUTHN"), ("never", 9, "STATS")]
    (tmp_path / "x.yaml").write_text("---\n".join(resource(*one) for one in names))
    done = cli("run", "x.yaml", "--request", "/", "--format", "json")
    assert done.code == 0, done.err
    (found,) = json.loads(done.out)["requests"]
    # Responses meet the plugins in reverse: the first of them has the last word.
    assert found["changes"]["response"][0]["after"] == '{"of":"first"}'
    alone = cli("run", "quay.io/me/plugin:v1", "--request", "/", "--format", "json")
    assert '"after": "hello"' in alone.out


def test_an_image_that_the_mesh_refuses_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: x}\n"
        "spec: {url: oci://quay.io/me/plugin:v1, sha256: '" + "0" * 64 + "'}\n"
    )
    assert cli("build", X_WAT, "-t", "quay.io/me/plugin:v1", "--no-git").code == 0
    done = cli("run", "x.yaml", "--request", "/")
    assert done.code == 3
    assert "does not match" in done.err


def test_network_plugins_get_connections(cli: Cli, tmp_path: Path) -> None:
    body = (
        '(func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32)'
        "(drop (call $log (i32.const 2) (i32.const 1000) (i32.const 4))) (i32.const 0))"
    )
    (tmp_path / "x.wasm").write_bytes(wat(body + '(data (i32.const 1000) "data")', LOG))
    for more in ([], ["--request", "/"]):
        done = cli("run", "x.wasm", "-d", "hello", *more, "--format", "json")
        check_output("run", json.loads(done.out))
        (found,) = json.loads(done.out)["requests"]
        assert found["request"] == found["response"]
        assert found["response"] == {"headers": [], "body": "hello", "trailers": []}
        assert "data" in [line["text"] for line in found["log"]]
    done = cli("run", "x.wasm", "-d", "hello", "--record", "x.wasmtest.yaml")
    lines = done.out.splitlines()[:5]
    back = "  5 bytes came back until the connection was closed"
    assert lines == ["connection", "  5 bytes sent", "    hello", back, "    hello"]
    assert "status" not in (tmp_path / "x.wasmtest.yaml").read_text()
    assert cli("test", "x.wasmtest.yaml").code == 0


ON_CONNECTION = '(func (export "proxy_on_new_connection") (param i32) (result i32) {})'
ON_DATA = '(func (export "proxy_on_downstream_data") (param i32 i32 i32) (result i32) {})'


@pytest.mark.parametrize("callback", [ON_CONNECTION, ON_DATA])
def test_a_connection_that_ends_brings_nothing_back(
    callback: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "x.wasm").write_bytes(wat(callback.format("unreachable")))
    done = cli("run", "x.wasm", "-d", "hello")
    assert (done.code, done.err) == (0, "")
    assert "  0 bytes came back until the connection was closed" in done.out.splitlines()
    assert "unreachable" in done.out


@pytest.mark.slow
@pytest.mark.parametrize("sent", [["--request", "GET /"], ["-d", "hello"]], ids=["end", "data"])
@pytest.mark.parametrize("callback", [ON_CONNECTION, ON_DATA])
def test_a_connection_that_is_held_is_no_crash(
    callback: str, sent: list[str], cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "x.wasm").write_bytes(wat(callback.format("(i32.const 1)")))
    done = cli("run", "x.wasm", *sent)
    assert (done.code, done.out) == (3, "")
    words = "Envoy was stopped while it served a connection, which is held: blocked for"
    assert words in done.err


def test_another_upstream(cli: Cli) -> None:
    with Upstream() as server:
        done = cli("run", X_WAT, "--upstream", f"http://127.0.0.1:{server.port}", "--request",
                   "GET /x", "--format", "json")  # fmt: skip
        ((request,), _) = server.take()
    assert done.code == 0
    assert request.path == "/x"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--request", "nonsense"], "expected 'GET /path'"),
        (["--request", "/", "-H", "x"], "expected 'NAME: VALUE'"),
        (["-d", "x"], "need --request"),
        (["-H", "a: b"], "needs --request"),
        (["--record", "x"], "needs --request"),
        (["-d", "x", "--watch"], "exclude each other"),
        (["--request", "/", "--upstream", "nonsense"], "expected http://HOST"),
        (["--request", "/", "--watch"], "exclude each other"),
        (["--format", "json"], "needs --request"),
    ],
)
def test_wrong_usage(options: list[str], words: str, cli: Cli) -> None:
    done = cli("run", X_WAT, *options)
    assert done.code == 2
    assert words in done.err


class Serving:
    """A ``wasmpack run`` that serves, with its lines as they come."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            [*AS_FROM_A_TERMINAL, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stdout
        self.lines = iter(self.process.stdout.readline, b"")

    def port(self) -> int:
        return int(next(self.lines).rpartition(b":")[2])


@pytest.fixture
def serving(wasmpack_command: str) -> Iterator[list[Serving]]:
    started: list[Serving] = []
    timer = threading.Timer(120, lambda: [one.process.kill() for one in started])
    timer.start()
    yield started
    timer.cancel()
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_it_serves_until_ctrl_c_and_again_after_a_change(
    wasmpack_command: str, serving: list[Serving], tmp_path: Path
) -> None:
    from urllib.request import urlopen

    path = tmp_path / "x.wasm"
    path.write_bytes(wat())
    one = Serving([wasmpack_command, "run", str(path), "--watch"])
    serving.append(one)
    port = one.port()
    with urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.headers["x-wat"] is None
    new = path.with_suffix(".new")
    new.write_bytes(binary(X_WAT.read_text()))
    new.replace(path)
    assert one.port() == port
    with urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.headers["x-wat"] == "hello"
    one.process.send_signal(signal.SIGINT)
    assert one.process.wait(60) == 130
