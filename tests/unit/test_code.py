"""Instructions with more operands than the engine takes, found wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from agreement.binary import leb
from support.limit_modules import LIMITS, branches, handlers, instructions, new_fixed
from support.plugins import PLUGINS, binary, module_bytes, wat

from wasmpack.module_rules.check import StartUp, examine, module_problems
from wasmpack.proxy_abi.abi import NEWEST
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.wasm.code import bodies, check_code, heaviest_body, read_body
from wasmpack.wasm.cursor import MalformedModule
from wasmpack.wasm.reader import read_module

IN_CODE = [name for name, limit in LIMITS.items() if limit.make in (branches, handlers, new_fixed)]
EVERY_OPERAND = Path(__file__).with_name("data") / "every-operand.wat"


def stops(data: bytes) -> list[tuple[int, int]]:
    """Where the reader stops in each body, and where the body ends."""
    section = read_module(data).section("code")
    assert section
    return [(read_body(data, start, end), end) for start, end in bodies(data, section)]


@pytest.mark.parametrize("name", ["header-append-c.wasm", "header-append-as.wasm", "x-wat.wat"])
def test_bodies_are_read_to_their_ends(name: str) -> None:
    found = stops(module_bytes(PLUGINS / name))
    assert found
    assert all(stopped == end for stopped, end in found)


def test_bodies_of_a_large_plugin_are_read_to_their_ends(go_plugin: Path) -> None:
    assert all(stopped == end for stopped, end in stops(go_plugin.read_bytes()))


def test_every_form_of_operands_is_read() -> None:
    assert all(stopped == end for stopped, end in stops(binary(EVERY_OPERAND.read_text())))


@pytest.mark.parametrize("name", IN_CODE)
def test_as_many_operands_as_the_engine_takes_and_no_more(name: str) -> None:
    limit = LIMITS[name]
    full, over = limit.make(limit.most), limit.make(limit.most + 1)
    check_code(full, read_module(full))
    with pytest.raises(
        MalformedModule, match=f"more than the {limit.most} that the engine accepts"
    ):
        check_code(over, read_module(over))


@pytest.mark.parametrize("make", [branches, new_fixed])
def test_the_finding_names_the_place(make: object) -> None:
    data = next(limit.make(limit.most + 1) for limit in LIMITS.values() if limit.make is make)
    facts = examine(PluginModule(data), StartUp(dry_run=False))
    (found,) = module_problems(facts, NEWEST)
    assert found.code == "MOD001"
    assert "Failed to load Wasm bytecode" in found.message
    at = int(found.where.rpartition("0x")[2], 16)
    assert data[at - 5 : at].endswith((b"\x0e" + leb(65_521), b"\xfb\x08\2" + leb(10_001)))


def test_what_only_looks_like_a_table_is_none() -> None:
    large = b"\x0e\xf1\xff\x03"
    for code in (
        b"\x41" + large[:1] + b"\x1a",
        b"\x44" + large * 2 + b"\x1a",
        b"\xfd\x0c" + large * 4 + b"\x1a",
    ):
        data = instructions(code)
        check_code(data, read_module(data))


@pytest.mark.parametrize(
    "body", [b"\xff\x0e\xff\xff\x03", b"\x44\x0e\xff\xff\x03", b"\xfb\x08\0\xff"]
)
def test_what_is_no_code_is_left_to_the_engine(body: bytes) -> None:
    data = instructions(body)
    check_code(data, read_module(data))


def test_a_module_without_code() -> None:
    check_code(binary("(module)"), read_module(binary("(module)")))
    check_code(wat(), read_module(wat()))


@pytest.mark.parametrize(
    ("locals_", "weight"),
    [("", 1000), ("(local i32)", 1001), ("(local i32 i64 i64 funcref (ref null func))", 1005)],
)
def test_the_heaviest_body_has_most_bytes_times_locals(locals_: str, weight: int) -> None:
    data = binary(f"(module (func) (func {locals_} {'nop ' * 20_000}) (func (local i64)))")
    section = read_module(data).section("code")
    assert section
    size = max(end - start for start, end in bodies(data, section))
    assert heaviest_body(data, read_module(data)) == size * weight


def test_small_functions_have_no_weight() -> None:
    data = wat()
    assert heaviest_body(data, read_module(data)) == 0
