"""Envoy's log, as it grows."""

from __future__ import annotations

from pathlib import Path

from wasmpack.envoy.log import Log, envoy_errors


def test_lines_of_plugins_and_of_envoy(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = Log(path)
    assert log.read() == []
    path.write_bytes(
        b"[[info|wasm]]wasm log a.b root vm: one\\ntwo \\303\\251 \\'x\\'\n"
        b"[[error|wasm]]Function: proxy_on_tick failed: Uncaught RuntimeError\n"
        b"[[info|main]]starting main dispatch loop\n"
        b"[[warning|wasm]]wasm log: [[error|wasm]]forged\n"
        b"[[info|wa"
    )
    found = [(line.level, line.context, line.text) for line in log.read()]
    assert found == [
        ("info", "a.b root vm", "one\ntwo é 'x'"),
        ("error", "envoy", "Function: proxy_on_tick failed: Uncaught RuntimeError"),
        ("warning", "", "[[error|wasm]]forged"),
    ]
    assert log.started
    with path.open("ab") as file:
        file.write(b"sm]]wasm log x: three\n")
    assert [line.text for line in log.read()] == ["three"]
    assert envoy_errors(log.lines) == ["Function: proxy_on_tick failed: Uncaught RuntimeError"]
