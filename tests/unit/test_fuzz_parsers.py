"""Every parser of foreign bytes, on fresh mutants: it reads them, or refuses them in its own words.

A failure notes the seed of its run (:mod:`support.effort`).
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence

import pytest
from support.effort import SEED, many
from support.mutants import mutant
from support.plugins import PLUGINS, module_bytes

from wasmpack.actions.inspect_module import inspect_module
from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.kubeyaml.writer import to_yaml
from wasmpack.mesh.plugin import KINDS, Plugin, mapping
from wasmpack.mesh.schema_rules import SchemaCheck
from wasmpack.module_rules.load import load_problems
from wasmpack.oci.canonical import canonical_json, parse_json
from wasmpack.proxy_abi.host_scan import host_scan, without_bulk
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.runtime_config import config_problems, parse_runtime_config
from wasmpack.wasm.code import skip_const_expr
from wasmpack.wasm.cursor import Cursor
from wasmpack.wasm.reader import read_module

pytestmark = [pytest.mark.slow, pytest.mark.dependencies]

COUNT = many(150)
NEWEST = "2026-04-06"


class _Noted:
    """Adds to an exception what led to it."""

    def __init__(self, note: str) -> None:
        self._note = note

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            error.add_note(self._note)


def fuzz(name: str, seeds: Sequence[bytes], pieces: Sequence[bytes],
         look: Callable[[bytes], None]) -> None:  # fmt: skip
    """Look at mutants of the seeds; only a refusal may be raised."""
    rng = random.Random(f"{SEED} {name}")
    for _ in range(COUNT):
        data = mutant(rng, rng.choice(seeds), pieces)
        with _Noted(f"seed {SEED}, mutant {data!r}"), contextlib.suppress(BadArtifact):
            look(data)


MODULES = [module_bytes(PLUGINS / name) for name in ("header-append-c.wasm", "x-wat.wat",
                                                     "header-append-as.wasm")]  # fmt: skip
NUMBERS = (
    b"\0",
    b"\x7f",
    b"\x80\0",
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x80\0",
    b"\x60",
    b"\x4e",
    b"\x50\1",
    b"\x63",
    b"\x64\x70",
    b"\xfb\x08",
    b"\xfd\x0c",
    b"\x0b",
)
SECTIONS = (
    b"\0\5\4name",
    b"\0\x0a\x09producers",
    b"\0\x0d\x0cprecompiled_",
    b"\1\4\1\x60\0\0",
    b"\7\5\1\1a\0\0",
    b"\6\6\1\x7f\0\x41\0\x0b",
    b"\x0d\3\1\0\0",
    b"\5\3\1\4\0",
)


def test_section_reader() -> None:
    def look(data: bytes) -> None:
        module = read_module(data)
        assert len(module.sections) <= len(data)
        inspect_module(PluginModule(data)).as_json()
        assert isinstance(list(load_problems(module, host_scan(data), NEWEST)), list)

    fuzz("read_module", MODULES, NUMBERS + SECTIONS, look)


def test_host_scan_raises_nothing() -> None:
    def look(data: bytes) -> None:
        try:
            found = host_scan(data)
        except BadArtifact as error:
            raise AssertionError from error
        assert found.abi or found.refusal

    named = [data + b"\0\x0b\4name\1\4\1\0\1f" for data in MODULES]
    fuzz("host_scan", [*MODULES, *named], NUMBERS + SECTIONS, look)


def test_parts_without_bulk() -> None:
    def look(data: bytes) -> None:
        parts = without_bulk(data)
        assert sum(map(len, parts)) <= len(data)
        if len(data) < 8 << 20:
            assert b"".join(parts) == data

    fuzz("without_bulk", MODULES, NUMBERS + SECTIONS, look)


CONSTANTS = (
    b"\x41\0\x0b", b"\x42\x7f\x0b", b"\x43\0\0\0\0\x0b", b"\x44\0\0\0\0\0\0\0\0\x0b",
    b"\x23\0\x41\1\x6a\x0b", b"\xd0\x70\x0b", b"\xd2\0\x0b", b"\xfd\x0c" + bytes(16) + b"\x0b",
    b"\x41\1\xfb\x1c\x0b", b"\x41\0\x41\0\xfb\x08\1\2\x0b", b"\xfb\x81\0\0\x0b",
)  # fmt: skip


def test_constant_expressions() -> None:
    def look(data: bytes) -> None:
        cursor = Cursor(data, 0, len(data))
        skip_const_expr(cursor)
        assert data[cursor.pos - 1] == 0x0B
        assert cursor.pos == _end_by_hand(data)

    fuzz("const_expr", CONSTANTS, NUMBERS + CONSTANTS, look)


def _end_by_hand(data: bytes) -> int:
    """Where the expression ends, read instruction by instruction."""
    cursor = Cursor(data, 0, len(data))
    while (code := cursor.byte()) != 0x0B:
        if code in {0x41, 0x42, 0xD0}:
            cursor.signed({0x41: 32, 0x42: 64, 0xD0: 33}[code])
        elif code in {0x43, 0x44}:
            cursor.skip({0x43: 4, 0x44: 8}[code])
        elif code in {0x23, 0xD2}:
            cursor.unsigned()
        elif code == 0xFB:
            for _ in range({8: 2, 26: 0, 27: 0, 28: 0}.get(cursor.unsigned(), 1)):
                cursor.unsigned()
        elif code == 0xFD:
            cursor.unsigned()
            cursor.skip(16)
    return cursor.pos


STREAMS = (
    b"""# licence
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: &m {name: a, namespace: b}  # one
spec:
  url: oci://quay.io/a/b:v1
  phase: AUTHN
  # two
  pluginConfig: {a: [1, 0x1f, 1e3, ~, yes, 'x', "y\\u00e9"], <<: *m}
  match:
  - ports: [{number: 80}]
  vmConfig:
    env:
    - name: X
      value: |
        text
---
kind: Secret
data: !!binary aGVsbG8=
...
%YAML 1.1
---
- ? key
  : *m
""",
    b'{"apiVersion": "v1", "kind": "List", "items": [{"kind": "WasmPlugin", "spec": {"url": 1}}]}',
    b"a: &a [x]\nb: [*a, *a]\nc: {<<: {d: 1}}\n",
)
YAML = (
    b"*a",
    b"&a ",
    b"<<: ",
    b"!!int ",
    b"!x ",
    b"{{ x }}",
    b"[" * 120,
    b"- " * 120,
    b"9" * 5000,
    b"\t",
    b"\0",
    b"\xff",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"---\n",
    b"...\n",
    b"%TAG ! x\n",
    b"? ",
    b": ",
    b"# ",
    b"|+1\n",
    b"'",
    b'"',
    b"\\ud800",
    b".nan",
    b"0b1_1",
    b"\r",
    b"\n  ",
)


def test_yaml() -> None:
    def look(data: bytes) -> None:
        for document in read_documents(data, "f"):
            (again,) = read_documents(to_yaml({"x": document.value}).encode(), "f")
            assert again.value == {"x": document.value}
            to_yaml(document.value, document.comments)
            for item in document.items():
                if mapping(item.value).get("kind") in KINDS:
                    list(SchemaCheck.of(Plugin.of(item)).problems())

    fuzz("yaml", STREAMS, YAML, look)


CONFIGURATIONS = (
    b'{"type": "envoy_proxy", "abiVersions": ["v0.2.1"], "config": {"rootIds": ["a", "b"]}}',
    b'{"type": "envoy_proxy", "abi_version": "v0-x", "config": {"root_ids": [], "x": {"y": null}}}',
)
JSON = (b"[" * 2000, b'{"a":' * 120, b"9" * 5000, b"1e999", b"NaN", b'\\ud800', b'\\u0041', b"\xff",
        b"\xef\xbb\xbf", b'"type": 1,', b"null", b"-0", b"\0", b"[]", b"{}", b",")  # fmt: skip


def test_json() -> None:
    def look(data: bytes) -> None:
        value = parse_json(data, "f")
        assert parse_json(canonical_json(value), "f") == value

    fuzz("json", CONFIGURATIONS, JSON, look)


def test_runtime_configuration() -> None:
    def look(data: bytes) -> None:
        assert len(config_problems(data)) <= 21
        config = parse_runtime_config(data)
        assert parse_runtime_config(config.to_bytes()) == config

    fuzz("runtime configuration", CONFIGURATIONS, JSON, look)


def test_a_fault_would_be_seen() -> None:
    def fail(_data: bytes) -> None:
        raise KeyError

    with pytest.raises(KeyError) as caught:
        fuzz("fault", [b"x"], [b"y"], fail)
    assert f"seed {SEED}" in caught.value.__notes__[0]
