"""The section reader lists what wasmtime lists, within bounds, and raises nothing else."""

import contextlib
import sys
from pathlib import Path

import pytest
import wasmtime
from agreement.binary import CODE, CUSTOM, EXPORT, FUNCTION, IMPORT, MEMORY, TYPE, leb, text
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effort import many
from support.hosts import envoy_of
from support.limit_modules import LIMITS, exports, function_type, imports
from support.limit_modules import plugin as made
from support.module_rules import RULES
from support.peak import watched
from support.plugins import PLUGINS, binary, module_bytes, wat

from wasmpack.actions.inspect_module import inspect_module
from wasmpack.cli.image_text import module_lines
from wasmpack.dry_run.engine import engine
from wasmpack.dry_run.start_up import StartUp
from wasmpack.images.parts import Window
from wasmpack.module_rules.check import examine, module_problems
from wasmpack.module_rules.load import load_problems
from wasmpack.proxy_abi.host_scan import CORRUPTED, NO_ABI, TOO_MUCH, host_scan
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.text import Style
from wasmpack.wasm.cursor import MalformedModule
from wasmpack.wasm.reader import read_module

pytestmark = pytest.mark.dependencies

NEWEST = "2026-04-06"
SMALL = module_bytes(PLUGINS / "header-append-c.wasm")

TEXTS = {
    "empty": "(module)",
    "every import kind": """(module
        (import "a" "f" (func (param i32 i64 f32 f64) (result i32)))
        (import "a" "m" (memory 1 5)) (import "a" "t" (table 2 funcref))
        (import "a" "g" (global (mut i64))) (import "b" "e" (tag (param i32))))""",
    "every export kind": """(module (memory (export "m") 1 2) (table (export "t") 1 9 externref)
        (global (export "g") i32 (i32.const -5)) (global (export "h") (mut f64) (f64.const 1))
        (tag (export "x") (param i64)) (func (export "f") (result i32 i32) unreachable))""",
    "imports come before own": """(module (import "a" "f" (func $a (param i32)))
        (func $b (result i64) i64.const 0) (export "one" (func $a)) (export "two" (func $b)))""",
    "re-exports": """(module (import "a" "g" (global i32)) (import "a" "m" (memory 1))
        (export "g" (global 0)) (export "m" (memory 0)))""",
    "globals of all kinds": """(module (global $a i32 (i32.const 1))
        (global v128 (v128.const i32x4 1 2 3 4)) (global funcref (ref.null func))
        (global i32 (i32.add (global.get $a) (i32.const 2))) (global f32 (f32.const 2))
        (global (export "last") i64 (i64.const -1)))""",
    "many functions": "(module " + "(type (func (param i64)))" * 200
        + "".join(f'(func (export "f{n}") (type {n % 200}))' for n in range(300)) + ")",
    "memory64 and shared": """(module (memory (export "a") i64 1 2)
        (memory (export "b") 1 2 shared))""",
    "names in unicode": """(module (import "é" "" (func)) (func (export "ü\\u{1F600}")))""",
}  # fmt: skip
GC_TYPES = """(module (rec (type $s (struct (field i8) (field (mut (ref null $s))))))
    (type $a (array (mut i16))) (type $f (sub (func (param i32))))
    (func $f (export "f") (type $f)) (table (export "t") 3 5 (ref func) (ref.func $f)))"""


def listing_by_wasmtime(data: bytes) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    module = wasmtime.Module(engine(), data)
    imports = [(i.module, i.name or "", *_described(i.type)) for i in module.imports]
    return imports, [(e.name, *_described(e.type)) for e in module.exports]


def _described(kind: object) -> tuple[str, str]:
    """Kind and, where wasmtime tells it plainly, the type as the reader writes it."""
    if isinstance(kind, wasmtime.FuncType):
        out = [str(t) for t in kind.results]
        result = out[0] if len(out) == 1 else f"({', '.join(out)})"
        return "func", f"({', '.join(str(t) for t in kind.params)}) -> {result}"
    if isinstance(kind, wasmtime.GlobalType):
        return "global", f"{'mut ' if kind.mutable else ''}{kind.content}"
    if isinstance(kind, wasmtime.MemoryType):
        most = kind.limits.max
        return "memory", f"{kind.limits.min}{'+' if most is None else f' to {most}'} pages"
    if isinstance(kind, wasmtime.TableType):
        return "table", f"{kind.element} {kind.limits.min}..{kind.limits.max or ''}"
    return "tag", ""


def listing_by_us(data: bytes) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    module = read_module(data)
    imports = [(i.module, i.name, i.kind, _plain(i.kind, i.type)) for i in module.imports]
    return imports, [(e.name, e.kind, _plain(e.kind, e.type)) for e in module.exports]


def _plain(kind: str, text: str) -> str:
    """Without what wasmtime's Python API does not tell; it calls externref by its old name."""
    if kind == "memory":
        return text.removesuffix(" i64").removesuffix(" shared")
    return "" if kind == "tag" else text.replace("externref", "anyref")


@pytest.mark.parametrize("name", TEXTS)
def test_lists_what_wasmtime_lists(name: str) -> None:
    data = binary(TEXTS[name])
    assert listing_by_us(data) == listing_by_wasmtime(data)


@pytest.mark.parametrize(
    "name", [row[0] for row in RULES if row[2] not in (["MOD003"], ["ABI009"])]
)
def test_lists_what_wasmtime_lists_in_the_modules_of_the_rules(name: str) -> None:
    """But for types whose names wasmtime-py cannot tell without ending the process."""
    data = next(row[1] for row in RULES if row[0] == name)
    try:
        ours = listing_by_us(data)
    except MalformedModule:
        with pytest.raises(wasmtime.WasmtimeError):
            wasmtime.Module(engine(), data)
    else:
        assert ours == listing_by_wasmtime(data)


def test_lists_types_that_wasmtime_has_no_words_for() -> None:
    """wasmtime-py aborts the process when asked for the name of a GC type: names alone then."""
    data = binary(GC_TYPES)
    module = wasmtime.Module(engine(), data)
    assert [e.name for e in read_module(data).exports] == [e.name for e in module.exports]
    assert [e.type for e in read_module(data).exports] == ["(i32) -> ()", "(ref func) 3..5"]


@pytest.mark.slow
def test_lists_what_wasmtime_lists_in_real_plugins(plugin: Path) -> None:
    data = module_bytes(plugin)
    assert listing_by_us(data) == listing_by_wasmtime(data)


def test_sections_cover_the_file() -> None:
    module = read_module(SMALL)
    ends = [section.offset + section.size for section in module.sections]
    assert ends[-1] == len(SMALL)
    assert all(
        before <= after.offset for before, after in zip(ends, module.sections[1:], strict=False)
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "file is empty"),
        (b"\x1f\x8b\x08\x00", "gzip data"),
        (b"(module)", "WebAssembly text"),
        (b"\x7fELF\2\1\1\0", "native program"),
        (b"hello world", "it starts with 68 65 6c 6c"),
        (b"\0asm\x0d\0\1\0", "component"),
        (b"\0asm\2\0\0\0", "unknown binary version"),
        (b"\0asm\1\0\0\0\1", "unexpected end"),
        (b"\0asm\1\0\0\0\1\5\1", "runs over the end"),
        (b"\0asm\1\0\0\0\1\xff\xff\xff\xff\xff\1\0", "number"),
        (b"\0asm\1\0\0\0\1\2\1\x33", "unknown type form"),
        (b"\0asm\1\0\0\0\7\5\1\1a\0\0", "export of func 0"),
        (b"\0asm\1\0\0\0\2\4\xff\xff\xff\1", "vector of"),
    ],
)
def test_damage_is_named_with_its_place(data: bytes, words: str) -> None:
    with pytest.raises(MalformedModule, match=rf"{words}.*\(at offset 0x"):
        read_module(data)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tail: bytes) -> None:
    _survives(b"\0asm\1\0\0\0" + tail)


@pytest.mark.slow
@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255), st.integers(0, 40))
def test_no_damage_to_a_real_module_raises_anything_else(at: int, byte: int, cut: int) -> None:
    data = bytearray(SMALL)
    data[at] = byte
    _survives(bytes(data[: len(data) - cut] if cut % 2 else data))


def _survives(data: bytes) -> None:
    with contextlib.suppress(MalformedModule):
        read_module(data)
    facts = examine(PluginModule(data), StartUp(dry_run=False))
    assert isinstance(module_problems(facts, envoy_of(NEWEST)), list)


@pytest.mark.stress
def test_reading_is_linear() -> None:
    """Twice the sections and imports take no more than about twice the steps, not four times."""

    def steps(count: int) -> int:
        imports = "".join(f'(import "env" "f{n}" (func (param i32)))' for n in range(count))
        data = binary(f"(module {imports})")
        seen = 0

        def count_calls(_frame: object, event: str, _arg: object) -> None:
            nonlocal seen
            seen += event == "call"

        sys.setprofile(count_calls)
        try:
            read_module(data)
        finally:
            sys.setprofile(None)
        return seen

    assert steps(2000) < 2.5 * steps(1000)


@pytest.mark.slow
@pytest.mark.parametrize("name", LIMITS)
def test_as_many_as_the_engines_take_are_read_and_no_more(name: str) -> None:
    limit = LIMITS[name]
    full, over = limit.make(limit.most), limit.make(limit.most + 1)
    read_module(full)
    words = f"more than the {limit.most} that the engine accepts"
    with pytest.raises(MalformedModule, match=words) if limit.read else contextlib.nullcontext():
        read_module(over)
    assert _is_valid(full) is limit.wasmtime
    assert _is_valid(over) is not limit.beyond


def _is_valid(data: bytes) -> bool:
    try:
        wasmtime.Module.validate(engine(), data)
    except wasmtime.WasmtimeError:
        return False
    return True


def test_what_is_at_a_limit_is_read_through_a_window_too() -> None:
    data = made({TYPE: (1, function_type(b"\x7f" * 1000)), EXPORT: exports(9)})
    seen = read_module(Window(len(data), lambda at, size: data[at : at + size]))
    assert [e.name for e in seen.exports] == [e.name for e in read_module(data).exports]


def test_a_damaged_name_has_its_place_in_a_window_too() -> None:
    data = made({EXPORT: (1, text(b"\xff") + b"\0\0")})
    for source in (data, Window(len(data), lambda at, size: data[at : at + size])):
        with pytest.raises(MalformedModule, match="not UTF-8") as caught:
            read_module(source)
        assert data[caught.value.offset] == 0xFF


def test_a_long_signature_is_cut() -> None:
    data = made({TYPE: (1, function_type(b"\x7f" * 1000, b"\x7e")), FUNCTION: (1, b"\2"),
                 CODE: (1, b"\3\0\0\x0b"), EXPORT: (1, text(b"f") + b"\0\2")})  # fmt: skip
    assert read_module(data).exports[-1].type == f"({'i32, ' * 64}… 936 more) -> i64"


@pytest.mark.parametrize(
    ("values", "shown", "plain"),
    [
        (b"\x7f\x7e\x7d\x7c\x70\x6f", "i32, i64, f32, f64, funcref, externref", True),
        (b"\x63\x70\x63\x6f", "funcref, externref", True),
        (b"\x7f\x7b", "i32, v128", False),
        (b"\x64\x70", "(ref func)", False),
        (b"\x63\x80\x80\0\x7f", "(ref null 0), i32", False),
        (b"\x69\x6e\x74", "exnref, anyref, noexnref", False),
    ],
)
def test_types_that_the_proxy_can_name(values: bytes, shown: str, plain: bool) -> None:
    count = bytes([shown.count(",") + 1])
    data = made({TYPE: (1, b"\x60" + count + values + b"\0"),
                 IMPORT: (1, b"\3env\1f\0\2")}, 1)  # fmt: skip
    (item,) = read_module(data).imports
    assert (item.type, item.means.plain) == (f"({shown}) -> ()", plain)


def test_long_names_are_shown_cut_and_judged_whole() -> None:
    """V8 takes names of any length (observed with Envoy 1.40.0: 200 million bytes)."""
    name = b"a" * 200_000 + b"\0"
    data = made({EXPORT: (1, text(name) + b"\0\0"), CUSTOM: (1, text(b"b" * 200_000))})
    module = read_module(data)
    assert module.exports[-1].name == f"{'a' * 4096}…"
    assert module.sections[-1].custom_name == f"{'b' * 256}…"
    problems = load_problems(module, host_scan(data), NEWEST)
    assert "ABI011" in [problem.code for problem in problems]


MANY = 30_000
BAD = {
    "imports of another type": (
        "ABI003",
        {
            TYPE: (MANY, b"".join(function_type(bytes(0x7C + (n >> b & 3) for b in range(0, 16, 2)))
                                  for n in range(MANY))),
            IMPORT: (MANY, b"".join(b"\3env\x09proxy_log\0" + leb(n + 2) for n in range(MANY))),
        },
        MANY,
    ),
    "exports of tags' kin": (
        "ABI009",
        {TYPE: (1, function_type(b"\x7b")), FUNCTION: (1, b"\2"), CODE: (1, b"\2\0\x0b"),
         EXPORT: exports(MANY, index=2)},
        0,
    ),
    "exports named as numbers": ("ABI011", {EXPORT: exports(MANY, name="%d")}, 0),
    "unknown callbacks": ("ABI008", {EXPORT: exports(MANY, name="proxy_on_%x")}, 0),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_findings_of_one_kind_are_few(name: str) -> None:
    code, items, functions = BAD[name]
    data = made(items, functions)
    found = [p for p in load_problems(read_module(data), host_scan(data), NEWEST) if p.code == code]
    assert len(found) == 21
    assert len({problem.severity for problem in found}) == 1
    assert found[-1].message == "at least 1000 more findings like the 20 that are listed"


def test_a_few_more_findings_are_counted() -> None:
    data = made({EXPORT: exports(25, name="proxy_on_%x")})
    found = load_problems(read_module(data), host_scan(data), NEWEST)
    unknown = [problem.message for problem in found if problem.code == "ABI008"]
    assert unknown[20:] == ["5 more findings like the 20 that are listed"]


@pytest.mark.stress
@pytest.mark.parametrize(
    ("number", "end"),
    [
        (1, "import: env.i0'"),
        (3, "; likewise env.i1, env.i2"),
        (25, " and 14 more"),
        (MANY, " and at least 989 more"),
    ],
)
def test_imports_missing_for_one_cause_make_one_finding(number: int, end: str) -> None:
    data = made({IMPORT: imports(number)}, number)
    (found,) = load_problems(read_module(data), host_scan(data), NEWEST)
    assert (found.code, found.message[-len(end) :]) == ("ABI002", end)


@pytest.mark.stress
def test_of_many_things_a_part_is_shown() -> None:
    items = {EXPORT: exports(10_005), MEMORY: (10_005, b"\0\0" * 10_005)}
    view = inspect_module(PluginModule(made({**items, IMPORT: imports(10_001)}, 10_001)))
    value = view.as_json()
    assert value["omitted"] == {"exports": 8, "imports": 1, "memories": 6}
    assert [len(value[name]) for name in ("exports", "imports", "memories")] == [10_000] * 3  # type: ignore[arg-type]
    lines = list(module_lines(view, Style(everything=True)))
    assert "  exports (10008, the first 10000 are shown)" in lines
    assert next(line for line in lines if "memory" in line).endswith(", 9996 more")
    assert "omitted" not in inspect_module(PluginModule(SMALL)).as_json()


HUGE = {
    "one type of 8 million parameters": (
        "over",
        'made({TYPE: (1, b"\\x60" + leb(8_000_000) + b"\\x7f" * 8_000_000 + b"\\0")})',
    ),
    "8 million types": ("over", "made({TYPE: (8_000_000, NOTHING * 8_000_000)})"),
    "4 million exports": ("over", 'made({EXPORT: (4_000_000, b"\\1a\\0\\0" * 4_000_000)})'),
    "a million exports": ("read", "made({EXPORT: exports(999_997)})"),
    "a million imports": ("read", "made({IMPORT: imports(1_000_000)}, 1_000_000)"),
    "exports of one huge type": (
        "read",
        'made({TYPE: (1, function_type(b"\\x7f" * 1000)), FUNCTION: (1, b"\\2"), '
        'CODE: (1, b"\\2\\0\\x0b"), EXPORT: exports(200_000, index=2)})',
    ),
    "50 million references": (
        "read",
        'made({TYPE: (50_000, (b"\\x60" + leb(1000) + b"\\x63\\x70" * 1000 + b"\\0") * 50_000)})',
    ),
    "a constant of 30 million instructions": (
        "read",
        'made({GLOBAL: (1, b"\\x7f\\0\\x41\\0" + b"\\x41\\0\\x6a" * 15_000_000 + b"\\x0b"), '
        "EXPORT: exports(1, kind=3)})",
    ),
    "a name of 60 MB": ("read", "made({CUSTOM: (1, text(chr(0x1F600).encode() * 15_000_000))})"),
    "producers without end": (
        "read",
        'made({CUSTOM: (1, text(b"producers") + leb(1) + text(b"x") + leb(20_000_000) '
        "+ bytes(40_000_000))})",
    ),
    "millions of function names": (
        "read",
        'made({CUSTOM: (1, text(b"name") + b"\\1" + text(leb(20_000_000) + bytes(40_000_000)))})',
    ),
    "millions of sections": ("over", 'made({}) + b"\\0\\1\\0" * 20_000_000'),
}
"""Expressions, as the module is made in the process that is watched."""
READ = """
import sys
from pathlib import Path
from agreement.binary import *
from support.limit_modules import *
from support.limit_modules import plugin as made
from wasmpack.actions.inspect_module import inspect_module
from wasmpack.wasm.cursor import MalformedModule
from wasmpack.proxy_abi.host_scan import host_scan
from wasmpack.module_rules.load import load_problems
from wasmpack.proxy_abi.module import PluginModule
data = {made}
try:
    view = inspect_module(PluginModule(data))
    problems = list(load_problems(view.module, host_scan(data), "2026-04-06"))
    assert len(problems) < 100
    assert len(str(view.as_json())) < 10_000_000
    print("read")
except MalformedModule:
    assert len(host_scan(data).where) < 100
    print("over")
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE)
def test_no_module_takes_much_memory(name: str) -> None:
    """What was 2.9 GB for the first: there was text for each parameter."""
    outcome, making = HUGE[name]
    tests = str(Path(__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {tests!r})" + READ.replace("{made}", making)
    done = watched(sys.executable, "-c", code, limit=600)
    assert done.code == 0, done.err
    assert done.out.split() == [outcome]
    assert done.megabytes < 600


@pytest.mark.parametrize(
    ("data", "abi", "refusal"),
    [
        (b"", None, NO_ABI),
        (b"\0as", None, NO_ABI),
        (b"not wasm", None, CORRUPTED),
        (b"\0asm\1\0\0\0", None, NO_ABI),
        (b"\0asm\1\0\0\0\1\xff\1", None, CORRUPTED),
        (wat(), "0.2.1", ""),
        (wat(marker="proxy_abi_version_0_1_0"), "0.1.0", ""),
        (wat('(func (export "proxy_abi_version_0_1_0"))'), "0.2.1", ""),
        (binary('(module (global (export "proxy_abi_version_0_2_1") i32 (i32.const 0)))'), None,
         NO_ABI),
        (wat() + b"\0\7\4name\1\5", "0.2.1", CORRUPTED),
        (wat() + b"\0\x0b\4name\1\4\1\0\1f", "0.2.1", ""),
        (wat() + b"\0\x0c\4name\1\5\1\0\1ff", "0.2.1", CORRUPTED),
        (wat() + b"\0\x0f\4name\1\x08\1\x80\x80\x80\x80\3\1f", "0.2.1", ""),
        (wat() + b"\0\x0f\4name\1\x08\1\x80\x80\x80\x80\4\1f", "0.2.1", CORRUPTED),
        (wat() + b"\0\x0b\4name\1\4\1\0\1f\0", "0.2.1", CORRUPTED),
    ],
)  # fmt: skip
def test_host_scan(data: bytes, abi: str | None, refusal: str) -> None:
    found = host_scan(data)
    assert (found.abi, found.refusal) == (abi, refusal)


@pytest.mark.slow
def test_more_than_the_host_scan_is_followed_through() -> None:
    """The host has no bound; what is beyond ours is refused, in words that are not the host's."""
    for data in (wat() + b"\0\1\0" * 100_001, _names(2_000_001)):
        assert host_scan(data).refusal == TOO_MUCH
        (problem,) = load_problems(read_module(wat()), host_scan(data), NEWEST)
        assert (problem.code, CORRUPTED in problem.message) == ("MOD002", False)
    assert host_scan(_names(2_000_000)).refusal == ""


def _names(count: int) -> bytes:
    return made({CUSTOM: (1, text(b"name") + b"\1" + text(leb(count) + bytes(2 * count)))})
