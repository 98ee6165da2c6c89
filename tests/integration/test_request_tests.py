"""``wasmpack test``, and the same files under pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from conftest import Cli
from support.output_schema import check_output
from support.plugins import PLUGINS, wat

pytestmark = pytest.mark.envoy

REQUESTS = PLUGINS / "requests"
PASSING = sorted(REQUESTS.glob("*.wasmtest.yaml"))
ON_REQUEST = '(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {})'
CRASH = wat(
    ON_REQUEST.format("(drop (call $continue (i32.const 1))) (i32.const 0)"),
    '(import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))',
)


@pytest.mark.parametrize("file", PASSING, ids=lambda file: file.name.partition(".")[0])
def test_each_of_our_plugins_passes(file: Path, go_plugin: Path, cli: Cli) -> None:
    done = cli("test", file)
    assert done.code == 0, done.out + done.err


def test_each_test_that_must_fail_does(go_plugin: Path, cli: Cli) -> None:
    done = cli("test", REQUESTS / "failing.yaml", "--format", "json")
    assert done.code == 1
    found = json.loads(done.out)
    check_output("test", found)
    assert found["schemaVersion"] == 1
    assert (found["passed"], found["failed"]) == (0, 12)
    names = {test["name"].partition("[")[0] for test in found["tests"]}
    assert names == {
        test["name"] for test in yaml.safe_load((REQUESTS / "failing.yaml").read_text())["tests"]
    }
    (first, *_) = found["tests"]
    assert first["failures"] == [
        {"what": "response header x-wat", "expected": "goodbye", "got": "hello"}
    ]


def write(path: Path, *tests: object, plugin: str = "x.wasm") -> Path:
    path.write_text(json.dumps({"plugin": plugin, "tests": tests}))
    return path


def test_a_crash_fails_the_test_that_caused_it_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "crash.wasm").write_bytes(CRASH)
    (tmp_path / "x.wasm").write_bytes(wat())
    file = write(
        tmp_path / "a.yaml",
        {"name": "before"},
        {"name": "crash", "plugin": "crash.wasm"},
        {"name": "after", "response": {"status": 200}},
    )
    done = cli("test", file, "--format", "json")
    found = json.loads(done.out)["tests"]
    assert [test["outcome"] for test in found] == ["passed", "failed", "passed"]
    assert "Envoy crashed" in found[1]["failures"][0]["got"]
    assert "proxy_continue_stream" in found[1]["failures"][0]["got"]


def test_junit_is_read_by_a_stock_parser(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.wasm").write_bytes(wat())
    file = write(tmp_path / "a.yaml", {"name": "a<&\u0001"}, {"name": "b", "log": ["never"]})
    done = cli("test", file, "--format", "junit")
    assert done.code == 1
    (suite,) = ElementTree.fromstring(done.out)
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    first, second = suite
    assert first.get("name") == "a<&\\x01"
    assert second.find("failure") is not None


def test_choosing_and_stopping(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.wasm").write_bytes(wat())
    fails = {"response": {"status": 1}}
    write(tmp_path / "a.wasmtest.yaml", {"name": "one", **fails}, {"name": "two"})
    write(tmp_path / "b.wasmtest.yaml", {"name": "three"}, {"name": "one more"})
    write(tmp_path / "other.yaml", {"name": "not looked at", **fails})
    chosen = cli("test", ".", "-k", "TWO", "-k", "b.wasm")
    assert (chosen.code, chosen.out.count("wasmtest.yaml")) == (0, 2)
    assert " 3 passed " in chosen.out
    assert " 1 failed " in cli("test", ".", "-x").out
    every = cli("test", ".", "-j", "2")
    assert " 1 failed, 3 passed " in every.out
    assert "FAILED a.wasmtest.yaml::one" in every.out
    assert cli("test", ".", "-k", "nothing").code == 4


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("tests: [", 3, "x.yaml:2"),
        ("plugin: x\ntests: [{name: a, nonsense: 1}]", 3, "x.yaml:2 tests[0]: "),
        (None, 4, "x.yaml"),
    ],
)
def test_a_file_that_is_wrong(
    content: str | None, code: int, words: str, cli: Cli, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "x.yaml").write_text(content)
    done = cli("test", "x.yaml")
    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_what_run_records_passes(cli: Cli, tmp_path: Path) -> None:
    plugin = PLUGINS / "x-wat.wat"
    recorded = cli("run", plugin, "--request", "POST /a", "-H", "a: 1", "-d", "b", "--request",
                   "GET /", "--record", "x.yaml")  # fmt: skip
    assert recorded.code == 0, recorded.err
    done = cli("test", "x.yaml")
    assert done.code == 0, done.out + done.err
    assert " 2 passed " in done.out


def test_a_hundred_tests_share_envoys(cli: Cli, tmp_path: Path) -> None:
    """Counted, not timed: each Envoy of a fake binary that starts the real one leaves a mark."""
    from wasmpack.envoy import find_envoy

    fake = tmp_path / "envoy"
    fake.write_text(f'#!/bin/sh\necho >> {tmp_path}/starts\nexec {find_envoy()} "$@"\n')
    fake.chmod(0o755)
    (tmp_path / "x.wasm").write_bytes(wat())
    file = write(tmp_path / "a.yaml", *({"name": f"t{number}"} for number in range(100)))
    done = cli("test", file, "--envoy-path", fake)
    assert " 100 passed " in done.out
    assert len((tmp_path / "starts").read_text().splitlines()) <= 5


def test_the_schema_is_printed_and_published(cli: Cli) -> None:
    printed = json.loads(cli("test", "--schema").out)
    published = PLUGINS.parents[1] / "docs" / "request-test.schema.json"
    assert printed == json.loads(published.read_text())


def pytest_run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120)


def test_pytest_collects_test_files_and_has_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "x.wat").write_bytes((PLUGINS / "x-wat.wat").read_bytes())
    hello = {"headers": {"x-wat": "hello"}}
    write(tmp_path / "a.wasmtest.yaml", {"name": "passes", "response": hello},
          {"name": "fails", "response": {"status": 1}}, plugin="x.wat")  # fmt: skip
    (tmp_path / "test_x.py").write_text(
        "def test_x(wasmpack_envoy):\n"
        "    proxy = wasmpack_envoy('x.wat', config='text')\n"
        "    assert proxy.get('/').header('x-wat') == 'text'\n"
    )
    done = pytest_run(tmp_path)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert "expected 1\n" in done.stdout
    assert "Traceback" not in done.stdout


def test_pytest_of_others_loads_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import sys\ndef test_x():\n"
        "    loaded = {m for m in sys.modules if m.startswith('wasmpack')}\n"
        "    assert loaded <= {'wasmpack', 'wasmpack.version', 'wasmpack.pytest_plugin'}\n"
    )
    done = pytest_run(tmp_path)
    assert "1 passed" in done.stdout, done.stdout
