"""A plugin's module: its bytes, hashed, read and scanned once each; and the SDK that made it.

An SDK is known as far as its traces show. Each row of the table is one set of traces that an SDK of
one age leaves; all parts of a row have to be found, and the first row that fits decides. The order
matters where one SDK exports what another does and more: G-Core's AssemblyScript has all callbacks
of the C++ SDK, and every compiler that links a C library carries that library's ``producers``.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wasmpack.oci.descriptor import Digest

if TYPE_CHECKING:
    from wasmpack.proxy_abi.host_scan import HostScan
    from wasmpack.wasm.types import Module


class PluginModule:
    """Bytes that are, or should be, a WebAssembly module in the binary format.

    >>> PluginModule(b"\\0asm\\1\\0\\0\\0").declarations.exports
    ()
    """

    def __init__(
        self,
        data: bytes,
        name: str = "plugin.wasm",
        *,
        path: Path | None = None,
        digest: Digest | None = None,
    ) -> None:
        """Keep the bytes; nothing is read yet.

        :param name: names the module in reports
        :param path: the file it was read from
        :param digest: if known, so that the bytes are not hashed
        """
        self.data = data
        self.name = name
        self.path = path
        if digest is not None:
            self.digest = digest

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    @cached_property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return Digest.of(self.data)

    @cached_property
    def declarations(self) -> Module:
        """Imports, exports and declarations.

        :raises MalformedModule: the bytes are not a core module
        """
        from wasmpack.wasm.reader import read_module

        return read_module(self.data)

    @cached_property
    def compiled(self) -> PluginModule:
        """The module as a host passes it to its engine: without the sections it strips."""
        stripped = self.scan.stripped
        return self if stripped is None else PluginModule(stripped, self.name)

    @cached_property
    def scan(self) -> HostScan:
        """The host's own scan before it compiles."""
        from wasmpack.proxy_abi.host_scan import host_scan

        return host_scan(self.data)

    @cached_property
    def sdk(self) -> str:
        """See :func:`sdk_of`."""
        return sdk_of(self.declarations)


_TRACED = 1000
"""Imports, exports and sections whose names are compared: no SDK makes as many."""
_ABORT = "env.abort (i32, i32, i32, i32) -> ()"


class _Traces(NamedTuple):
    """Patterns match a whole name; an absent part fits every module."""

    sdk: str
    producer: str = ""
    """A line of the ``producers`` section: ``language Rust``, ``processed-by clang 11.0.0``."""
    section: str = ""
    """The name of a custom section."""
    importing: str = ""
    """An import with its type: ``env.abort (i32) -> ()``."""
    exporting: str = ""
    """At least one such export."""
    functions: frozenset[str] = frozenset()
    """All of these functions are exported."""
    without: frozenset[str] = frozenset()
    """None of these functions is."""


def _all(*names: str) -> frozenset[str]:
    return frozenset(names)


_TWO_ALLOCATORS = _all("malloc", "proxy_on_memory_allocate")
_GO_MARKER = _all("proxy_abi_version_0_2_0", "proxy_on_memory_allocate")
_ALL_PROTOCOLS = _all(
    "proxy_on_queue_ready", "proxy_on_http_call_response", "proxy_on_upstream_data"
)
"""An SDK exports every callback, an author only those that are needed."""
_CPP_CALLBACKS = _all("malloc", "proxy_validate_configuration", "proxy_on_request_metadata")

_ROWS = (
    _Traces(sdk="rust", producer="language Rust.*|processed-by rustc .*"),
    _Traces(sdk="go-tinygo", producer="(?i).*tinygo.*"),
    _Traces(sdk="go-tinygo", importing=r"(env|gojs)\.runtime\.(ticks|sleepTicks) .*"),
    _Traces(sdk="go-tinygo", importing=r"env\.syscall/js\..*"),
    _Traces(sdk="go", producer="language Go( .*)?"),
    _Traces(sdk="go", section="go[.:]buildid"),
    _Traces(sdk="go", importing=r"(go|gojs)\..*"),
    _Traces(sdk="assemblyscript", exporting="__(new|pin|unpin|collect|retain|release|rtti_base)"),
    _Traces(sdk="assemblyscript", importing=re.escape(_ABORT)),
    _Traces(
        sdk="assemblyscript",
        functions=_all("malloc", "proxy_on_grpc_trailing_metadata"),
        without=_all("proxy_on_grpc_receive_trailing_metadata"),
    ),
    _Traces(sdk="go-tinygo", functions=_TWO_ALLOCATORS | {"_start"}),
    _Traces(sdk="go-tinygo", functions=_TWO_ALLOCATORS | {"_initialize", "free"}),
    # before 0.16 it exported main under its package's name
    _Traces(sdk="go-tinygo", functions=_TWO_ALLOCATORS, exporting=r"[\w./-]+\.main"),
    _Traces(sdk="cpp", functions=_CPP_CALLBACKS),
    # Emscripten of 2020 wrote no producers
    _Traces(sdk="cpp", section="emscripten_metadata"),
    _Traces(sdk="cpp", importing=r"env\.emscripten_.*"),
    _Traces(sdk="cpp", functions=_all("malloc", "stackSave", "stackRestore", "stackAlloc")),
    _Traces(
        sdk="go",
        functions=_GO_MARKER | {"_initialize"},
        without=_all("malloc"),
        importing=r"wasi_snapshot_preview1\.(sched_yield|poll_oneoff) .*",
    ),
    _Traces(sdk="zig", producer="(?i).*zig.*"),
    _Traces(
        sdk="zig",
        functions=_GO_MARKER | _ALL_PROTOCOLS,
        without=_all("malloc", "_initialize", "_start", "proxy_on_grpc_receive"),
    ),
    # without its producers, as wasm-strip leaves it
    _Traces(
        sdk="rust",
        functions=_ALL_PROTOCOLS | {"_initialize", "proxy_on_grpc_close"},
        without=_all("free", "_start", "proxy_on_request_metadata"),
    ),
    _Traces(sdk="cpp", producer="language C_plus_plus.*"),
    _Traces(sdk="c", producer=r"language C\d*( .*)?|processed-by .*clang.*"),
)


def sdk_of(module: Module) -> str:
    """``rust``, ``go-tinygo``, ``go``, ``cpp``, ``assemblyscript``, ``zig``, ``c`` or ``unknown``.

    It chooses hints, never a verdict.
    """
    seen = _Seen(module)
    return next((row.sdk for row in _ROWS if seen.fits(row)), "unknown")


class _Seen:
    """The names of one module as text, made when the first row needs them."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def fits(self, row: _Traces) -> bool:
        return (
            all(map(self._module.exported, row.functions))
            and not any(map(self._module.exported, row.without))
            and (not row.section or _any(row.section, self._sections))
            and (not row.producer or _any(row.producer, self._producers))
            and (not row.exporting or _any(row.exporting, self._exports))
            and (not row.importing or _any(row.importing, self._imports))
        )

    @cached_property
    def _sections(self) -> tuple[str, ...]:
        sections = islice(self._module.sections, _TRACED)
        return tuple(section.custom_name for section in sections if section.custom_name)

    @cached_property
    def _producers(self) -> tuple[str, ...]:
        fields = self._module.producers.items()
        return tuple(
            f"{field} {name} {version}".rstrip() for field, made in fields for name, version in made
        )

    @cached_property
    def _exports(self) -> tuple[str, ...]:
        return tuple(export.name for export in islice(self._module.exports, _TRACED))

    @cached_property
    def _imports(self) -> tuple[str, ...]:
        imports = islice(self._module.distinct_imports, _TRACED)
        return tuple(f"{i.module}.{i.name} {i.type}" for i in imports if i.kind == "func")


def _any(pattern: str, names: tuple[str, ...]) -> bool:
    return any(re.fullmatch(pattern, name) for name in names)
