"""A module's declarations, as values for printing and for the JSON contract.

It is read without the engine, which makes this path fast.
"""

from dataclasses import dataclass

from wasmpack.oci.descriptor import Digest
from wasmpack.proxy_abi.abi import MARKERS
from wasmpack.proxy_abi.host_scan import host_scan
from wasmpack.proxy_abi.module import PluginModule, sdk_of
from wasmpack.wasm.cursor import Source
from wasmpack.wasm.reader import read_module
from wasmpack.wasm.types import Module

SHOWN = 10_000
"""Most imports, exports, memories or sections to show; a module may have a million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleView:
    """A module as ``inspect`` shows it."""

    digest: Digest
    """The digest of the module's bytes."""
    module: Module
    """Its declarations."""
    abi_version: str | None
    """The version that the proxy goes by; None if it finds none."""
    sdk: str
    """The language, guessed from traces: ``rust``, ``go``, ``cpp`` and so on."""

    @property
    def abi_versions(self) -> list[str]:
        """All versions that are marked, in export order."""
        return [MARKERS[name] for name in self.module.functions if name in MARKERS]

    @property
    def omitted(self) -> dict[str, int]:
        """How many of each are not shown; empty for any genuine module."""
        module = self.module
        counts = {
            "exports": len(module.exports),
            "imports": len(module.imports),
            "memories": len(module.memories),
            "sections": len(module.sections),
        }
        return {name: count - SHOWN for name, count in counts.items() if count > SHOWN}

    def as_json(self) -> dict[str, object]:
        """The contract's ``module`` object."""
        module = self.module
        omitted = {"omitted": self.omitted} if self.omitted else {}
        return {
            "digest": str(self.digest),
            "size": module.size,
            "abiVersion": self.abi_version,
            "abiVersions": self.abi_versions,
            "sdk": self.sdk,
            "exports": [
                {"name": e.name, "kind": e.kind, "type": e.type} for e in module.exports[:SHOWN]
            ],
            "imports": [
                {"module": i.module, "name": i.name, "kind": i.kind, "type": i.type}
                for i in module.imports[:SHOWN]
            ],
            "memories": [str(memory) for memory in module.memories[:SHOWN]],
            "sections": [
                {"id": s.id, "name": s.label, "offset": s.offset, "size": s.size}
                for s in module.sections[:SHOWN]
            ],
            **omitted,
        }


def inspect_module(module: PluginModule) -> ModuleView:
    """Inspect a module; nothing is compiled.

    :raises MalformedModule: its bytes are not a module
    """
    return ModuleView(
        digest=module.digest,
        module=module.declarations,
        abi_version=module.scan.abi,
        sdk=module.sdk,
    )


def inspect_source(data: Source, digest: Digest) -> ModuleView:
    """As :func:`inspect_module`, for bytes that are stored elsewhere.

    :param digest: of all of them
    """
    module = read_module(data)
    return ModuleView(
        digest=digest, module=module, abi_version=host_scan(data).abi, sdk=sdk_of(module)
    )
