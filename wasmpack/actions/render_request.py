"""What to render."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from wasmpack.mesh.kinds import Kind
from wasmpack.mesh.values import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What to write; the fields go by WasmPlugin's names, whatever the kind."""

    source: str
    """An image name, or a ``file://`` or ``http(s)://`` URL."""
    kind: Kind = Kind.WASM_PLUGIN
    given: Values = field(default_factory=Values)
    template: tuple[bytes, str] | None = None
    """Content and name of a template of the user's."""
    pin: bool = False
    """Write the digest that the mesh compares."""
    look: bool = True
    """Read the image, for its root id and its digest."""
    remote: bool = False
    validate: bool = True
    """Refuse to write what the targets would refuse."""
    targets: Sequence[str] = ()
