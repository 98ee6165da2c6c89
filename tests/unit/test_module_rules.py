"""Load rules and the dry run: what a proxy of which age would refuse, and why."""

from collections.abc import Sequence

import pytest
from support.plugins import CONFIGURATION, PLUGINS, binary, module_bytes, wat

from wasmpack.findings import Problem, Severity
from wasmpack.module.check import StartUp, examine, module_problems

NEWEST, OSSM_26, OLD = "2026-04-06", "2022-08-05", "2021-11-04"
LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
WASI = "wasi_snapshot_preview1"


def problems(data: bytes, host: str = NEWEST, config: bytes | None = None) -> list[Problem]:
    return module_problems(examine(data, StartUp(plugin_config=config)), host)


def codes(found: Sequence[Problem], *severities: Severity) -> list[str]:
    wanted = severities or (Severity.ERROR,)
    return [problem.code for problem in found if problem.severity in wanted]


RULES = [
    ("good", wat(), []),
    ("no marker", binary('(module (memory (export "memory") 1))'), ["ABI001"]),
    ("draft marker", wat(marker="proxy_abi_version_0_x_x"), ["ABI001"]),
    ("unknown import", wat(imports='(import "env" "proxy_foo" (func))'), ["ABI002"]),
    ("import of another ABI", wat(imports='(import "env" "proxy_clear_route_cache" '
                                          '(func (result i32)))'), ["ABI002"]),
    ("import of its ABI", wat(imports='(import "env" "proxy_clear_route_cache" '
                                      '(func (result i32)))', marker="proxy_abi_version_0_1_0"),
     []),
    ("newer import under 0.2.0", wat(imports='(import "env" "proxy_get_log_level" '
                                     '(func (param i32) (result i32)))',
                                     marker="proxy_abi_version_0_2_0"), ["ABI002"]),
    ("global import", wat(imports='(import "env" "g" (global i32))'), ["ABI002"]),
    ("memory import", binary("""(module (import "env" "memory" (memory 1))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))"""), []),
    ("import signature", wat(imports='(import "env" "proxy_log" (func (param i32)))'), ["ABI003"]),
    ("wasi signature", wat(imports=f'(import "{WASI}" "fd_write" (func))'), ["ABI003"]),
    ("wasi under the old name", wat(imports='(import "wasi_unstable" "proc_exit" '
                                            '(func (param i32)))'), []),
    ("wbindgen", wat(imports='(import "__wbindgen_placeholder__" "x" (func))'), ["ABI002"]),
    ("callback signature", wat('(func (export "proxy_on_log") (result i32) i32.const 0)'),
     ["ABI004"]),
    ("headers under 0.1.0", wat('(func (export "proxy_on_request_headers") (param i32 i32) '
                                '(result i32) i32.const 0)', marker="proxy_abi_version_0_1_0"),
     []),
    ("headers under 0.2.1", wat('(func (export "proxy_on_request_headers") (param i32 i32) '
                                '(result i32) i32.const 0)'), ["ABI004"]),
    ("malloc beside a good allocator", wat('(func (export "malloc") (result i32) i32.const 0)'),
     ["ABI004"]),
    ("no allocator", binary("""(module (memory (export "memory") 1)
        (func (export "proxy_abi_version_0_2_1")))"""), ["ABI005"]),
    ("main is not looked up without _initialize", wat('(func (export "main"))'), []),
    ("main is looked up with it", wat('(func (export "_initialize")) (func (export "main"))'),
     ["ABI004"]),
    ("_start is not looked up with it", wat('(func (export "_initialize")) '
                                            '(func (export "_start") (param i32))'), []),
    ("too much memory", binary("""(module (memory (export "memory") 16385)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))"""), ["MEM001"]),
    ("memory nobody sees", binary(f"""(module {LOG} (memory 1)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))"""), ["MEM002"]),
    ("start section is a host function", wat("(start $x)", '(import "env" "proxy_done" '
                                             '(func (result i32))) (import "env" "emscripten" '
                                             '(func $x))'), ["ABI002", "STA001"]),
    ("start section logs", wat("""(func $s (drop (call $log (i32.const 2) (i32.const 0)
        (i32.const 0)))) (start $s)""", LOG), ["STA001"]),
    ("start section traps", wat("(func $s unreachable) (start $s)"), ["RUN001"]),
    ("_start traps", wat('(func (export "_start") unreachable)'), ["RUN001"]),
    ("main traps", wat("""(func (export "_initialize"))
        (func (export "main") (param i32 i32) (result i32) unreachable)"""), ["RUN001"]),
    ("restricted call", wat("""(func (export "_start")
        (drop (call $tick (i32.const 1))))""", '(import "env" "proxy_set_tick_period_milliseconds" '
        '(func $tick (param i32) (result i32)))'), ["RUN002"]),
    ("log in _start is allowed", wat("""(func (export "_start")
        (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0))))""", LOG), []),
    ("vm start says no", wat('(func (export "proxy_on_vm_start") (param i32 i32) (result i32) '
                             'i32.const 0)'), ["RUN003"]),
    ("vm start traps", wat('(func (export "proxy_on_vm_start") (param i32 i32) (result i32) '
                           'unreachable)'), ["RUN003"]),
    ("start never ends", wat('(func (export "_start") (loop $l (br $l)))'), ["RUN006"]),
    ("not valid", b"\0asm\1\0\0\0\x0a\4\1\2\0\x0b", ["MOD003"]),
    ("cut off", wat()[:-5], ["MOD001"]),
    ("name section", wat() + b"\0\7\4name\1\5", ["MOD002"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_rules_of_the_newest_host(data: bytes, expected: list[str]) -> None:
    assert codes(problems(data)) == expected


@pytest.mark.parametrize("body", ["(export {})", ""])
def test_several_markers_are_a_doubt(body: str) -> None:
    data = wat('(func (export "proxy_abi_version_0_1_0"))')
    assert codes(problems(data), Severity.WARNING) == ["ABI006"]


def test_misnamed_callback_is_a_doubt() -> None:
    (found,) = problems(wat('(func (export "proxy_on_grpc_trailing_metadata"))'))
    assert (found.code, found.severity) == ("ABI007", Severity.WARNING)
    assert "proxy_on_grpc_receive_trailing_metadata" in found.hint


@pytest.mark.parametrize(
    ("name", "signature", "hosts"),
    [
        ("fd_write", "(param i32 i32 i32 i32) (result i32)", [OLD, OSSM_26, NEWEST]),
        ("path_open", "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
         [OSSM_26, NEWEST]),
        ("sched_yield", "(result i32)", [NEWEST]),
        ("fd_sync", "(param i32) (result i32)", [NEWEST]),
    ],
)  # fmt: skip
def test_wasi_by_era(name: str, signature: str, hosts: list[str]) -> None:
    data = wat(imports=f'(import "{WASI}" "{name}" (func {signature}))')
    taken = [host for host in (OLD, OSSM_26, NEWEST) if not codes(problems(data, host))]
    assert taken == hosts


def test_start_up_is_checked_by_era() -> None:
    data = wat("""(func (export "_start") (drop (call $y (i32.const 1) (i32.const 8))))""",
               f'(import "{WASI}" "fd_fdstat_get" '
               '(func $y (param i32 i32) (result i32)))')  # fmt: skip
    assert codes(problems(data, OLD)) == [], "older hosts do not restrict start-up code"
    assert codes(problems(data, OSSM_26)) == ["RUN002"]
    assert codes(problems(data, NEWEST)) == []


CONFIGURE = """(func (export "proxy_on_configure") (param i32 i32) (result i32)
    (i32.eq (local.get 1) (i32.const 3)))"""


@pytest.mark.parametrize(
    ("config", "severity"),
    [(None, Severity.WARNING), (b"", Severity.ERROR), (b"no", Severity.ERROR), (b"yes", None)],
)
def test_configuration_refused(config: bytes | None, severity: Severity | None) -> None:
    found = problems(wat(CONFIGURE), config=config)
    assert [problem.severity for problem in found] == ([severity] if severity else [])
    assert all(problem.code == "RUN005" for problem in found)


def test_root_context_trap_depends_on_the_configuration_too() -> None:
    data = wat('(func (export "proxy_on_context_create") (param i32 i32) unreachable)')
    assert codes(problems(data), Severity.WARNING) == ["RUN004"]
    assert codes(problems(data, config=b"")) == ["RUN004"]


@pytest.mark.parametrize("name", ["header-append-c.wasm", "header-append-as.wasm"])
def test_plugins_read_their_configuration(name: str) -> None:
    data = module_bytes(PLUGINS / name)
    assert problems(data, config=CONFIGURATION.encode()) == []
    (refused,) = problems(data, config=b"not json")
    assert "must be a JSON object" in refused.message, "the plugin's own words are shown"


HOSTILE = [
    ("memory bomb", '(func (export "_start") (loop $l (drop (memory.grow (i32.const 1000))) '
                    "(br $l)))"),
    ("log flood", '(func (export "_start") (loop $l (drop (call $log (i32.const 2) (i32.const 0) '
                  "(i32.const 65536))) (br $l)))"),
    ("recursion", '(func $r (export "_start") (call $r))'),
]  # fmt: skip


@pytest.mark.parametrize("body", [h[1] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_modules_end_in_a_finding(body: str) -> None:
    import resource

    (found,) = problems(wat(body, LOG))
    assert found.code in {"RUN001", "RUN006"}
    assert len(found.message) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000, "kilobytes"


def test_a_table_and_imported_memory_are_provided() -> None:
    data = binary("""(module (import "env" "memory" (memory 1))
        (import "env" "t" (table 1 funcref))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8)
        (func (export "_start") (i32.store (i32.const 0) (i32.const 1))))""")
    assert problems(data) == []
