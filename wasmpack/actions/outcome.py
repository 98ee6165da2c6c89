"""What a build or a push came to, for people and as the JSON contract."""

from collections.abc import Sequence
from dataclasses import dataclass

from wasmpack.actions.transfer import Moved
from wasmpack.findings import Report
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.image import Variant, variant_of
from wasmpack.oci.manifest import Index, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An image, the places it is at now, and what was sent on the way."""

    references: Sequence[str]
    """Every name or place, the first one first."""
    manifest: Manifest | Index
    moved: Sequence[Moved] = ()
    report: Report | None = None
    """None if it was not judged."""

    @property
    def _blobs(self) -> Sequence[Descriptor]:
        if isinstance(self.manifest, Index):
            return [row.descriptor for row in self.moved]
        return self.manifest.blobs

    def as_json(self) -> dict[str, object]:
        """The contract's shape of ``build`` and ``push --format json``."""
        manifest = self.manifest
        image = None if isinstance(manifest, Index) else manifest
        return {
            "schemaVersion": 1,
            "reference": self.references[0],
            "digest": str(manifest.digest),
            "size": len(manifest.raw) + sum(blob.size for blob in self._blobs),
            "variant": (variant_of(image) if image else Variant.UNKNOWN).value,
            "layers": [layer_json(layer) for layer in image.layers] if image else [],
            "pushed": [blob.as_json() for blob in self.moved],
            "findings": [f.as_json() for f in (self.report.findings if self.report else ())],
            "references": list(self.references),
        }


def layer_json(layer: Descriptor) -> dict[str, object]:
    """The contract's shape of one layer."""
    return {
        "mediaType": layer.media_type,
        "digest": str(layer.digest),
        "size": layer.size,
        "title": layer.title,
    }
