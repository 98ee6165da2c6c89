"""What a module is made of, without the engine: this path is the fast one."""

from dataclasses import dataclass

from wasmpack.module.abi import MARKERS
from wasmpack.module.cursor import Source
from wasmpack.module.framing import host_scan
from wasmpack.module.reader import read_module
from wasmpack.module.sdk import sdk_of
from wasmpack.module.types import Module
from wasmpack.oci.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleView:
    """A module as ``inspect`` shows it."""

    digest: Digest
    module: Module
    abi_version: str | None
    """The one that decides; None if the proxy finds none."""
    sdk: str

    @property
    def abi_versions(self) -> list[str]:
        """All that are marked, in export order."""
        marked = [MARKERS.get(e.name.encode()) for e in self.module.exports if e.kind == "func"]
        return [version for version in marked if version]

    def as_json(self) -> dict[str, object]:
        """The contract's ``module`` object."""
        module = self.module
        return {
            "digest": str(self.digest),
            "size": module.size,
            "abiVersion": self.abi_version,
            "abiVersions": self.abi_versions,
            "sdk": self.sdk,
            "exports": [{"name": e.name, "kind": e.kind, "type": e.type} for e in module.exports],
            "imports": [
                {"module": i.module, "name": i.name, "kind": i.kind, "type": i.type}
                for i in module.imports
            ],
            "memories": [str(memory) for memory in module.memories],
            "sections": [
                {"id": s.id, "name": s.label, "offset": s.offset, "size": s.size}
                for s in module.sections
            ],
        }


def inspect_module(data: bytes) -> ModuleView:
    """Look at a module's bytes; nothing is compiled.

    :raises MalformedModule: they are none
    """
    return inspect_source(data, Digest.of(data))


def inspect_source(data: Source, digest: Digest) -> ModuleView:
    """As :func:`inspect_module`, of bytes that may be somewhere else.

    :param digest: of all of them
    """
    module = read_module(data)
    return ModuleView(
        digest=digest,
        module=module,
        abi_version=host_scan(data).abi,
        sdk=sdk_of(module),
    )
