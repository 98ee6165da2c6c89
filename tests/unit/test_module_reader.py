"""The section reader lists what wasmtime lists, and no bytes make it raise anything else."""

import contextlib
from pathlib import Path

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st
from support.module_rules import RULES
from support.plugins import PLUGINS, binary, module_bytes, wat

from wasmpack.module.check import StartUp, examine, module_problems
from wasmpack.module.cursor import MalformedModule
from wasmpack.module.engine import engine
from wasmpack.module.framing import CORRUPTED, NO_ABI, host_scan
from wasmpack.module.reader import read_module

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


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tail: bytes) -> None:
    _survives(b"\0asm\1\0\0\0" + tail)


@settings(max_examples=600, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255), st.integers(0, 40))
def test_no_damage_to_a_real_module_raises_anything_else(at: int, byte: int, cut: int) -> None:
    data = bytearray(SMALL)
    data[at] = byte
    _survives(bytes(data[: len(data) - cut] if cut % 2 else data))


def _survives(data: bytes) -> None:
    with contextlib.suppress(MalformedModule):
        read_module(data)
    facts = examine(data, StartUp(dry_run=False))
    assert isinstance(module_problems(facts, NEWEST), list)


def test_reading_is_linear() -> None:
    """Twice the sections and imports take no more than about twice the steps, not four times."""
    import sys

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
