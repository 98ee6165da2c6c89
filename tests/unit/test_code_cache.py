"""Compiled code is kept by digest, and only trusted where nobody else could have written it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import wasmtime
from agreement import binary as b
from support.plugins import wat

from wasmpack.dry_run.code_cache import Code, cache_file, clear_cache, compiled_module
from wasmpack.dry_run.engine import _config, engine, engines
from wasmpack.proxy_abi.module import PluginModule

pytestmark = pytest.mark.dependencies


def large() -> bytes:
    """A module that is worth keeping."""
    return b.module([*b.sections(wat()), (b.CUSTOM, b.text(b"x") + bytes(300_000))])


def compile_large() -> Code:
    return compile_it(large())


def compile_it(data: bytes) -> Code:
    return compiled_module(data, cache_file(PluginModule(data)))


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the modules that were compiled."""
    seen: list[int] = []
    real = wasmtime.Module

    class Counting(real):  # type: ignore[misc,valid-type]
        def __init__(self, engine: wasmtime.Engine, data: bytes) -> None:
            seen.append(len(data))
            super().__init__(engine, data)

    monkeypatch.setattr(wasmtime, "Module", Counting)
    return seen


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("WASMPACK_CACHE", str(tmp_path / "c"))
    return tmp_path / "c" / "code"


def only_file(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


def test_the_second_time_nothing_is_compiled(cache: Path, compiled: list[int]) -> None:
    for _ in range(2):
        assert len(compile_large().module.exports) == len(wat_exports())
    assert len(compiled) == 1
    assert only_file(cache).stat().st_mode & 0o077 == 0
    assert cache.stat().st_mode & 0o077 == 0


def wat_exports() -> list[str]:
    return ["memory", "marker", "allocator"]


def test_small_modules_are_not_kept(cache: Path) -> None:
    compile_it(wat())
    assert not cache.exists()


@pytest.mark.parametrize("change", ["flip", "writable"])
def test_what_cannot_be_trusted_is_compiled_again(
    change: str, cache: Path, compiled: list[int]
) -> None:
    compile_large()
    path = only_file(cache)
    if change == "flip":
        data = path.read_bytes()
        path.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
    else:
        path.chmod(0o666)
    compile_large()
    assert len(compiled) == 2
    compile_large()
    assert len(compiled) == 2, "and kept as it should be"


def test_it_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASMPACK_CACHE", "")
    compile_large()
    assert not (tmp_path / "cache").exists()


def test_code_of_another_engine_is_compiled_again(cache: Path, compiled: list[int]) -> None:
    compile_large()
    path = only_file(cache)
    other = wasmtime.Module(wasmtime.Engine(), large()).serialize()
    import hashlib

    path.write_bytes(hashlib.sha256(other).digest() + other)
    compile_large()
    assert len(compiled) == 3


def test_the_oldest_goes_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compile_large()
    first = only_file(cache)
    os.utime(first, (1, 1))
    monkeypatch.setattr("wasmpack.dry_run.code_cache._LIMIT", first.stat().st_size + 1000)
    compile_it(large() + b"\0\2\1x")
    assert only_file(cache) != first


def test_it_can_be_cleared(cache: Path) -> None:
    assert clear_cache() == (0, 0)
    compile_large()
    size = only_file(cache).stat().st_size
    assert clear_cache() == (1, size)
    assert list(cache.iterdir()) == []


def test_a_linked_cache_loses_nothing(cache: Path, tmp_path: Path) -> None:
    victim = tmp_path / "videos"
    victim.mkdir()
    for number in range(3):
        with (victim / f"{number:064x}.cwasm").open("wb") as file:
            file.truncate(300 << 20)
    cache.parent.mkdir()
    cache.symlink_to(victim)
    compile_large()
    assert clear_cache() == (0, 0)
    assert len(list(victim.iterdir())) == 3


def test_the_baseline_compiler_takes_what_it_can() -> None:
    baseline, cranelift = engines(0, heaviest=0)
    assert compiled_module(wat(), None).engine is baseline
    newer = wasmtime.wat2wasm("(module (func $f (return_call $f)))")
    assert compiled_module(newer, None).engine is cranelift
    assert engines(0, heaviest=10**10) == [cranelift], "Winch says nothing of what V8 takes for it"


def test_without_the_baseline_compiler_cranelift_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    assert engines(0, heaviest=0) == [engine(bounded=True)]


def test_the_baseline_compiler_is_winch() -> None:
    """wasmtime tells the compilers apart when it loads code."""
    config = _config(newer=False)
    config.gc_support, config.epoch_interruption = False, True
    code = wasmtime.Module(wasmtime.Engine(config), wat()).serialize()
    with pytest.raises(wasmtime.WasmtimeError, match="without Winch"):
        wasmtime.Module.deserialize(engines(0, heaviest=0)[0], code)
