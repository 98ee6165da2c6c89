"""A plugin's module: its bytes, hashed, read and scanned once each."""

from functools import cached_property
from pathlib import Path

from wasmpack.oci.descriptor import Digest
from wasmpack.proxy_abi.host_scan import HostScan, host_scan
from wasmpack.proxy_abi.sdk import sdk_of
from wasmpack.wasm.reader import read_module
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
        """Of the bytes."""
        return Digest.of(self.data)

    @cached_property
    def declarations(self) -> Module:
        """Imports, exports and declarations.

        :raises MalformedModule: the bytes are not a core module
        """
        return read_module(self.data)

    @cached_property
    def compiled(self) -> "PluginModule":
        """The module as a host passes it to its engine: without the sections it strips."""
        stripped = self.scan.stripped
        return self if stripped is None else PluginModule(stripped, self.name)

    @cached_property
    def scan(self) -> HostScan:
        """The host's own scan before it compiles."""
        return host_scan(self.data)

    @cached_property
    def sdk(self) -> str:
        """See :func:`wasmpack.proxy_abi.sdk.sdk_of`."""
        return sdk_of(self.declarations)
