"""Envoy's log, written to a file in a format of ours: one line for each message, escaped."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from wasmpack.envoy.messages import LogLine

OPTIONS = ("--log-format", "[[%l|%n]]%v", "--log-format-escaped")
"""Options that make Envoy write what is read here: a plugin cannot begin a line."""
ENVOY = "envoy"
"""The context of Envoy's own lines."""
_LINE = re.compile(rb"\[\[(\w+)\|(\w+)\]\](.*)")
_FROM_PLUGIN = re.compile(r"wasm log(?: (?P<context>.*?))?: (?P<text>.*)", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_SHOWN = {"warning", "error", "critical"}
"""Levels of Envoy's own lines about plugins that are kept."""
_ERRORS = {"error", "critical"}
_AFTERWARDS = ("Plugin ", "Wasm VM failed Failed to initialize")
"""Beginnings of lines that only repeat that something failed."""
_FAILURE = re.compile(r"(?:Wasm VM failed )?Function: \S+ failed")
STARTED = "starting main dispatch loop"
_MOST = 8 << 20
"""Bytes of the log that are read at a time."""


class Log:
    """The log of one Envoy, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""
        self.lines: list[LogLine] = []
        """Those of plugins, and Envoy's own about them, so far."""
        self.started = False
        """The listeners are loaded or refused."""
        self.last = ""
        """The last message of any kind: the reason if Envoy ends at once."""

    def read(self) -> list[LogLine]:
        """Read what was added; return the new lines."""
        before = len(self.lines)
        while data := self._added():
            *whole, self._rest = (self._rest + data).split(b"\n")
            self.lines += self._parsed(whole)
        return self.lines[before:]

    def _added(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read(_MOST)
        except FileNotFoundError:
            return b""
        self._at += len(data)
        return data

    def _parsed(self, lines: Iterable[bytes]) -> Iterator[LogLine]:
        for line in lines:
            found = _LINE.fullmatch(line)
            if found is None:
                self.last = line.decode(errors="replace") or self.last
                continue
            level, name = found[1].decode(), found[2].decode()
            text = _ESCAPED.sub(_unescaped, found[3]).decode(errors="replace").rstrip("\n")
            self.started = self.started or (name == "main" and text == STARTED)
            if level == "critical" and name == "main":
                self.last = text
            plugin = _FROM_PLUGIN.fullmatch(text) if name == "wasm" else None
            if plugin is not None:
                yield LogLine(level=level, context=plugin["context"] or "", text=plugin["text"])
            elif name == "wasm" and level in _SHOWN:
                yield LogLine(level=level, context=ENVOY, text=text)


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _NAMED.get(code, code)


def envoy_errors(lines: Iterable[LogLine]) -> list[str]:
    """Envoy's own errors about plugins, in order, each once."""
    own = (line.text for line in lines if line.context == ENVOY and line.level in _ERRORS)
    every = dict.fromkeys(own)
    return [text for text in every if not text.startswith(_AFTERWARDS)] or list(every)


def vm_failures(lines: Iterable[LogLine]) -> list[str]:
    """Envoy's messages about functions of plugins that failed, which ends their VM."""
    return [text for text in envoy_errors(lines) if _FAILURE.match(text)]
