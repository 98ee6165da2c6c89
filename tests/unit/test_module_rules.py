"""Load rules and the dry run: what a proxy of which age would refuse, and why."""

from collections.abc import Sequence

import pytest
from agreement.corpus import legacy_exceptions
from support.hosts import envoy_of
from support.module_rules import LOG, RULES, WASI
from support.plugins import CONFIGURATION, PLUGINS, binary, module_bytes, wat

from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Severity
from wasmpack.module_rules.check import examine, module_problems
from wasmpack.module_rules.plugin_type import NO_CALLBACK
from wasmpack.proxy_abi.abi import HostDate
from wasmpack.proxy_abi.module import PluginModule

pytestmark = [pytest.mark.slow, pytest.mark.dependencies]

NEWEST, OSSM_26, OLD = map(HostDate, ("2026-04-06", "2022-08-05", "2021-11-04"))


def problems(data: bytes, host: HostDate = NEWEST, config: bytes | None = None) -> list[Problem]:
    """All but that nothing is called: these modules have what their rules are about alone."""
    facts = examine(PluginModule(data), StartUp(plugin_config=config))
    found = module_problems(facts, envoy_of(host))
    return [problem for problem in found if problem.rule is not NO_CALLBACK]


def codes(found: Sequence[Problem], *severities: Severity) -> list[str]:
    wanted = severities or (Severity.ERROR,)
    return [problem.code for problem in found if problem.severity in wanted]


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("data", "expected"), [r[1:] for r in RULES], ids=[r[0] for r in RULES])
def test_rules_of_the_newest_host(data: bytes, expected: list[str]) -> None:
    assert codes(problems(data)) == expected


AS = '(func (export "__new"))'


@pytest.mark.parametrize(
    ("imports", "body", "words"),
    [
        ('(import "env" "abort" (func (param i32 i32 i32 i32)))', AS, "AssemblyScript: build with"),
        ('(import "env" "seed" (func (result f64)))', AS, "--use seed="),
        ('(import "env" "proxy_grpc_call" (func (param i32) (result i32)))', AS,
         "the AssemblyScript SDK declares proxy_grpc_call wrongly"),
        ('(import "env" "emscripten_memcpy_big" (func))', "", "-sSTANDALONE_WASM"),
        ('(import "env" "invoke_vi" (func))', "", "-sSTANDALONE_WASM"),
        ('(import "env" "__cxa_throw" (func))', "", "-fno-exceptions"),
        ('(import "__wbindgen_placeholder__" "x" (func))', "", "not wasm-pack"),
        ('(import "gojs" "x" (func))', "", "GOOS=wasip1"),
        ('(import "go" "x" (func))', "", "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared"),
        ('(import "gojs" "runtime.ticks" (func))', "", "-target=wasip1 -buildmode=c-shared"),
        ('(import "env" "syscall/js.valueGet" (func))', "", "-target=wasip1 -buildmode=c-shared"),
        ('(import "env" "runtime.ticks" (func))', "", "-target=wasip1 -buildmode=c-shared"),
        ('(import "env" "HaveOffsetConverter" (func))', "", "Emscripten's stack traces"),
        ('(import "env" "emscripten_stack_snapshot" (func))', "", "-sSTANDALONE_WASM -O3 -flto"),
        (f'(import "{WASI}" "proc_raise" (func))', "", "no proxy provides this part of WASI"),
        ('(import "env" "proxy_continue_request" (func))', "", "belongs to ABI 0.1.0"),
    ],
)  # fmt: skip
def test_the_tool_to_blame_is_named(imports: str, body: str, words: str) -> None:
    (found,) = problems(wat(body, imports))
    assert words in str(found.hint)


def test_imports_of_one_cause_make_one_finding() -> None:
    names = ["syscall/js.valueGet", "proxy_foo", *(f"runtime.f{n}" for n in range(11))]
    imports = " ".join(f'(import "env" "{name}" (func))' for name in names)
    first, second = problems(wat(imports=imports))
    assert first.where == "import env.syscall/js.valueGet"
    assert "; likewise env.runtime.f0, env.runtime.f1, " in first.message
    assert first.message.endswith("env.runtime.f9 and 1 more")
    assert (second.where, "likewise" in second.message) == ("import env.proxy_foo", False)


OTHER_SDK = "built with an SDK from before mid 2020, or for another proxy"
ONE_PARAMETER = """(func (export "proxy_on_request_headers") (param i32) (result i32) i32.const 0)
    (func (export "proxy_on_response_headers") (param i32) (result i32) i32.const 0)"""
MOSN = '(import "env" "proxy_get_decode" (func)) (func (export "proxy_on_tick") (param i32))'
UNMARKED = """(module {} (memory (export "memory") 1)
    (func (export "malloc") (param i32) (result i32) i32.const 8))"""


@pytest.mark.parametrize(
    ("data", "code", "hint"),
    [
        (binary(UNMARKED.format(ONE_PARAMETER)), "ABI001", OTHER_SDK),
        (binary(UNMARKED.format(MOSN)), "ABI001", OTHER_SDK),
        (binary(UNMARKED.format('(func (export "proxy_on_tick") (param i32))')), "ABI001",
         "export an empty function proxy_abi_version_0_2_1"),
        (binary(UNMARKED.format("")), "ABI001", "build with a proxy-wasm SDK, or export"),
        (wat(ONE_PARAMETER), "ABI004", OTHER_SDK),
        (wat('(func (export "proxy_on_tick"))'), "ABI004", "give it the signature (i32) -> ()"),
    ],
    ids=["early headers", "MOSN", "only the marker lacks", "no plugin", "early and marked", "slip"],
)  # fmt: skip
def test_what_an_older_sdk_made_is_not_repaired_by_hand(data: bytes, code: str, hint: str) -> None:
    (found,) = problems(data)
    assert (found.code, hint in str(found.hint)) == (code, True)


@pytest.mark.parametrize(
    ("body", "expected"),
    [("", ["ABI007"]), ('(func (export "__new"))', []),
     ("""(func (export "malloc") (param i32) (result i32) i32.const 8)
         (func (export "proxy_validate_configuration") (param i32 i32) (result i32) i32.const 1)
         (func (export "proxy_on_request_metadata") (param i32 i32) (result i32) i32.const 0)""",
      [])],
    ids=["an author's", "AssemblyScript's", "C++'s"],
)  # fmt: skip
def test_exports_that_the_sdk_makes_are_no_doubt(body: str, expected: list[str]) -> None:
    draft = '(func (export "proxy_on_grpc_create_initial_metadata") (param i32 i32 i32))'
    assert codes(problems(wat(draft + body)), Severity.WARNING, Severity.ERROR) == expected


COMMAND = '(func (export "_start") (call $exit (i32.const 0)))'
EXIT = f'(import "{WASI}" "proc_exit" (func $exit (param i32)))'


@pytest.mark.parametrize(
    ("body", "imports", "words"),
    [
        (COMMAND, "", "clang -mexec-model=reactor"),
        (COMMAND, '(@custom "go:buildid" "x")', "library: GOOS=wasip1 GOARCH=wasm go build"),
        (COMMAND, '(@producers (processed-by "TinyGo" "0.35.0"))', "library: tinygo build"),
        (COMMAND, '(@producers (language "Rust" ""))', "cdylib"),
        ('(func (export "_initialize") (call $exit (i32.const 0)))', "", "proxy_on_vm_start"),
    ],
    ids=["unknown", "go", "tinygo", "rust", "not a command"],
)
def test_a_command_is_to_be_linked_as_a_library(body: str, imports: str, words: str) -> None:
    (found,) = problems(wat(body, EXIT + imports))
    assert (found.code, words in str(found.hint)) == ("RUN002", True)


def test_several_markers_are_a_doubt() -> None:
    data = wat('(func (export "proxy_abi_version_0_1_0"))')
    assert codes(problems(data), Severity.WARNING) == ["ABI006"]


def test_misnamed_callback_is_a_doubt() -> None:
    (found,) = problems(wat('(func (export "proxy_on_grpc_trailing_metadata"))'))
    assert (found.code, found.severity) == ("ABI007", Severity.WARNING)
    assert "proxy_on_grpc_receive_trailing_metadata" in str(found.hint)


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
    ("write of endless pieces", '(func (export "_start") (drop (memory.grow (i32.const 999))) '
                                '(drop (call $write (i32.const 1) '
                                "(i32.const 0) (i32.const -1) (i32.const 0))))"),
    ("recursion", '(func $r (export "_start") (call $r))'),
]  # fmt: skip


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("body", [h[1] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_modules_end_in_a_finding(body: str) -> None:
    import resource

    write = f'(import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))'
    (found,) = problems(wat(body, LOG + write))
    assert found.code in {"RUN001", "RUN006"}
    assert len(found.message) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2_000_000, "kilobytes"


def test_a_request_that_traps_is_told() -> None:
    callback = """(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (unreachable))"""
    (found,) = problems(wat(callback))
    assert (found.code, found.severity) == ("RUN010", Severity.INFO)
    assert "traps" in found.message


def test_newer_features_are_a_doubt_for_older_engines() -> None:
    data = wat('(func $f) (func (export "x") (return_call $f))')
    assert codes(problems(data), Severity.WARNING) == []
    assert codes(problems(data, OSSM_26), Severity.WARNING) == ["MOD004"]


def test_first_form_of_exceptions_is_a_doubt() -> None:
    """V8 runs it, wasmtime cannot check it: clang still writes it by default."""
    found = problems(legacy_exceptions())
    assert codes(found) == []
    assert codes(found, Severity.WARNING) == ["MOD005"]


def test_main_void_is_looked_up_by_newer_hosts_only() -> None:
    data = wat('(func (export "_initialize")) (func (export "__main_void") (param i32))')
    assert codes(problems(data)) == ["ABI004"]
    assert codes(problems(data, OSSM_26)) == []


ODD_TABLES = ["anyref", "i31ref", "structref", "arrayref", "exnref", "(ref func)"]


@pytest.mark.parametrize("kind", [*ODD_TABLES, "(ref null $t)"])
def test_tables_that_would_abort_the_process(kind: str) -> None:
    imports = f'(type $t (struct)) (import "env" "t" (table 1 {kind}))'
    assert codes(problems(wat(imports=imports))) == ["ABI009"]


def test_large_initial_memory_is_accepted_as_by_the_proxy() -> None:
    data = binary("""(module (memory (export "memory") 10000)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))""")
    assert problems(data) == []


def test_a_table_and_imported_memory_are_provided() -> None:
    data = binary("""(module (import "env" "memory" (memory 1))
        (import "env" "t" (table 1 funcref))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8)
        (func (export "_start") (i32.store (i32.const 0) (i32.const 1))))""")
    assert problems(data) == []
