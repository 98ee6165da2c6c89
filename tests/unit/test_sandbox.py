"""The dry run's own process: what it cannot bring to an end is never accepted."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from agreement import binary as b
from support.limit_modules import BEYOND_WASMTIME
from support.peak import watched
from support.plugins import FRAME, binary, wat

from wasmpack.actions.checks import Checks
from wasmpack.actions.validate import validate_module
from wasmpack.confinement import allowed_environment
from wasmpack.dry_run.budget import Budget
from wasmpack.dry_run.sandbox import compile_text
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.findings import Finding, Severity, Verdict
from wasmpack.processes import Starved
from wasmpack.proxy_abi.module import PluginModule

pytestmark = [pytest.mark.slow, pytest.mark.dependencies]

LOOP = "(loop $l (br $l))"
WAIT = "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))"
GIBIBYTE = """(drop (memory.grow (i32.const 16383)))
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 1073741824))"""
STEPS = {
    "_start": '(func (export "_start") {body})',
    "_initialize": '(func (export "_initialize") {body})',
    "proxy_on_vm_start": """(func (export "proxy_on_vm_start") (param i32 i32) (result i32)
        {body} (i32.const 1))""",
    "proxy_on_configure": """(func (export "proxy_on_configure") (param i32 i32) (result i32)
        {body} (i32.const 1))""",
    "proxy_on_context_create": """(func (export "proxy_on_context_create") (param i32 i32)
        {body})""",
    "proxy_on_request_headers": """(func (export "proxy_on_request_headers")
        (param i32 i32 i32) (result i32) {body} (i32.const 0))""",
}


def findings(data: bytes, start_up: StartUp | None = None) -> Sequence[Finding]:
    """Errors of a module that the newest Envoy has to refuse."""
    checks = Checks(targets=["envoy-1.40"], start_up=start_up or StartUp())
    report = validate_module(PluginModule(data), checks)
    assert report.verdict is Verdict.REJECT
    return report.findings


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("body", "memory", "words"),
    [
        (LOOP, "1", "1 s of CPU time"),
        (WAIT, "1 1 shared", "blocked for 1 s"),
        (GIBIBYTE, "1", "MiB of memory, more than the 1024 MiB allowed"),
    ],
    ids=["loop", "wait", "memory"],
)
def test_a_bound_exceeded_is_a_refusal(step: str, body: str, memory: str, words: str) -> None:
    """In every step, with a configuration and without: the proxy hangs or starves in it."""
    frame = FRAME.replace('(memory (export "memory") 1)', f'(memory (export "memory") {memory})')
    body = STEPS[step].format(body=body)
    text = frame.format(imports="", marker="proxy_abi_version_0_2_1", body=body)
    (found,) = findings(binary(text))
    assert (found.code, found.severity, found.where) == ("RUN006", Severity.ERROR, step)
    assert words in found.message
    assert found.hint


def test_objects_that_fill_the_memory_are_refused() -> None:
    text = """(module
      (type $a (array (mut i8)))
      (type $n (struct (field (ref null $n)) (field (ref $a))))
      (memory (export "memory") 1)
      (func (export "proxy_abi_version_0_2_1"))
      (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
      (func (export "_start") (local $l (ref null $n))
        (loop $x
          (local.set $l (struct.new $n (local.get $l) (array.new_default $a (i32.const 8000000))))
          (br $x))))"""
    (found,) = findings(binary(text))
    assert (found.code, found.severity, found.where) == ("RUN006", Severity.ERROR, "_start")


@pytest.mark.usefixtures("hurried")
def test_many_short_waits_are_one_long_one() -> None:
    """Work in between does not make up for them."""
    frame = FRAME.replace('(memory (export "memory") 1)', '(memory (export "memory") 1 1 shared)')
    body = """(func (export "_start") (local $i i32)
      (loop $l
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 500000000)))
        (local.set $i (i32.const 100000000))
        (loop $w (br_if $w (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (br $l)))"""
    text = frame.format(imports="", marker="proxy_abi_version_0_2_1", body=body)
    (found,) = findings(binary(text), StartUp(seconds=100.0))
    assert (found.code, found.where) == ("RUN006", "_start")
    assert "blocked" in found.message


def compile_bomb() -> bytes:
    """650 KB that take wasmtime half a minute and gigabytes: many locals, many loops."""
    loop = b"\x03\x40\x20\0\x21\1\x20\0\x0d\0\x0b"
    return with_body(b"\1" + b.leb(40_000) + b"\x7f" + loop * 60_000 + b"\x0b")


def br_table_bomb() -> bytes:
    """5 MB of branch tables that take wasmtime gigabytes."""
    table = b"".join(b.leb(target % 1000) for target in range(65_000))
    tables = (b"\x02\x40\x20\0\x0e" + b.leb(65_000) + table + b"\0\x0b") * 60
    ends = b"".join(
        b"\x0b\x20" + b.leb(local) + b"\x21" + b.leb(local + 1) for local in range(1000)
    )
    return with_body(b"\1" + b.leb(1001) + b"\x7f" + b"\x02\x40" * 1000 + tables + ends + b"\x0b")


def with_body(body: bytes) -> bytes:
    parts = b.sections(wat("(func (nop))"))
    code = b.vector([b"\2\0\x0b", b"\5\0\x41\x80\x08\x0b", b.leb(len(body)) + body])
    return b.module([(n, code if n == b.CODE else part) for n, part in parts])


@pytest.mark.parametrize("bomb", [compile_bomb, br_table_bomb])
def test_compiling_is_bounded_too(
    bomb: Callable[[], bytes], wasmpack_command: str, tmp_path: Path
) -> None:
    path = tmp_path / "bomb.wasm"
    path.write_bytes(bomb())
    command = (wasmpack_command, "validate", "module", path, "--target", "envoy-1.40")
    done = watched(*command, "--format", "json")
    assert done.code == 3, done.err
    (found,) = json.loads(done.out)["findings"]
    assert (found["code"], found["severity"], found["where"]) == ("RUN006", "error", "compile")
    assert "allowed" in found["message"]
    assert "wasm-opt" in found["hint"]
    assert done.megabytes < 1500


def test_tables_count_as_memory() -> None:
    """An engine that fills them in at once needs 80 MB for each of these."""
    (found,) = findings(wat("(table 10000000 funcref)" * 14))
    assert (found.code, found.where) == ("RUN006", "instantiate")
    assert "1068 MiB of memory, more than the 1024 MiB allowed (initial tables)" in found.message


@pytest.mark.parametrize("name", BEYOND_WASMTIME)
def test_what_wasmtime_alone_refuses_is_not_called_invalid(name: str) -> None:
    (found,) = findings(BEYOND_WASMTIME[name]())
    assert (found.code, found.severity) == ("RUN006", Severity.ERROR)
    assert "Envoy may load it" in found.message


def test_validating_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.dry_run.budget._MEMORY", 1 << 20)
    monkeypatch.setattr("wasmpack.dry_run.budget._MEMORY_BASE", 1 << 20)
    for start_up in (StartUp(), StartUp(dry_run=False)):
        found = findings(wat(), start_up)[0]
        assert (found.code, found.where) == ("RUN006", "validate")


def test_the_budget_can_be_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.dry_run.budget._RUNNING", 0.2)
    count = """(func (export "_start") (local $i i64) (loop $l
        (br_if $l (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1)))
                            (i64.const 3000000000)))))"""
    (found,) = findings(wat(count))
    assert "--dry-run-timeout" in str(found.hint)
    report = validate_module(PluginModule(wat(count)), Checks(start_up=StartUp(seconds=100.0)))
    assert report.verdict is Verdict.ACCEPT


def test_the_budget_grows_with_the_module() -> None:
    small, large = Budget.of(1000), Budget.of(24 << 20)
    assert large.compiling > 5 * 0.82 * 24 > small.compiling
    assert large.memory > 5 * (600 << 20)
    assert small.memory == 1 << 30
    assert Budget.of(1000, 500.0).running == 500.0
    assert Budget.of(1000, 1.0) == small, "it is only ever raised"


def test_an_engine_that_dies_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.dry_run.spawn._CODE", "import os; os.abort()  # {path}")
    found = findings(wat())[0]
    assert (found.code, found.severity) == ("RUN011", Severity.ERROR)
    assert "SIGABRT" in found.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise KeyError('x')", "the dry run failed: KeyError: 'x'"),
        ("import os; os.kill(os.getpid(), 9)", "killed from outside"),
    ],
)
def test_what_is_not_the_modules_fault_is_no_verdict(
    code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wasmpack.dry_run.spawn._CODE", f"{code}  # {{path}}")
    with pytest.raises(WasmpackError, match=words):
        findings(wat())


def test_a_starved_process_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasmpack.processes._STARVED", 0.0)
    monkeypatch.setattr("wasmpack.processes._STARVED_MORE", 0.5)
    with pytest.raises(Starved, match="the dry run is starved"):
        findings(wat(f'(func (export "_start") {LOOP})'))


def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/no/such/python")
    with pytest.raises(WasmpackError, match="cannot start a process for the dry run"):
        findings(wat())


def test_no_secret_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    real = subprocess.Popen

    def watching(*arguments: object, **named: object) -> object:
        seen.append(named["env"])
        return real(*arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setenv("WASMPACK_PASSWORD", "secret")
    monkeypatch.setattr("subprocess.Popen", watching)
    validate_module(PluginModule(wat()))
    assert seen == [allowed_environment()]


TEXTS = {
    "many functions": b"(module " + b"(func)" * 9_000_000 + b")",
    "deep": b"(module (func " + b"(block " * 1_000_000 + b")" * 1_000_000 + b"))",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_compiled_within_bounds(name: str) -> None:
    """Whatever is said of it, this process does not grow or end with it."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(BadArtifact):
        compile_text(TEXTS[name], "x.wat")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000, "kilobytes"


def test_text_is_refused_with_its_place() -> None:
    with pytest.raises(BadArtifact, match=r"x\.wat: not valid WebAssembly text.*line 1 column 9"):
        compile_text(b"(module oops)", "x.wat")


def test_the_most_exports_that_load_are_started_within_the_budget() -> None:
    """A proxy asks for a dozen of them by name."""
    exports = "".join(f'(export "{number}x" (func $f))' for number in range(90_000))
    data = wat(f'(func $f) {exports} (func (export "proxy_on_log") (param i32))')
    report = validate_module(PluginModule(data), Checks(targets=["envoy-1.40"]))
    assert report.verdict is Verdict.ACCEPT
    assert not [found for found in report.findings if found.code.startswith("RUN")]


def test_a_memory_is_found_under_a_name_longer_than_any_that_is_shown() -> None:
    frame = FRAME.replace('(memory (export "memory") 1)', f'(memory (export "{"m" * 5000}") 1)')
    body = """(func (export "proxy_on_vm_start") (param i32 i32) (result i32)
      (i32.eqz (call $log (i32.const 2) (i32.const 0) (i32.const 0))))"""
    imports = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
    text = frame.format(imports=imports, marker="proxy_abi_version_0_2_1", body=body)
    report = validate_module(PluginModule(binary(text)), Checks(targets=["envoy-1.40"]))
    assert report.verdict is Verdict.ACCEPT
