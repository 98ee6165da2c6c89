"""Istio's image fetcher, replayed (pkg/wasm/imagefetcher.go and cache.go).

The decisions are taken in its order and with its texts, without the wrappers around them and the
address of the image, so that they can be found in istio-agent's log. Which rules hold for a release
is data: ``targets/data``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wasmpack.findings import Problem, Severity
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.readers.contents import OpenBlob, linux_amd64
from wasmpack.readers.tar import UnreadableLayer, tar_entries
from wasmpack.targets import ImageRules

_REPACK = "pack the module again: wasmpack extract IMAGE, wasmpack build plugin.wasm -t NAME"
_UNLIMITED = 1 << 29
"""What is read of a tar where the fetcher has no limit: 512 MiB, so that no bomb fills memory."""

GetManifest = Callable[[Descriptor], Manifest | Index]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The module's bytes as this release would get them, or why it gets none."""

    module: bytes | None
    problems: tuple[Problem, ...]


class _Refused(Exception):
    """One of the fetcher's errors; ``text`` is its own."""

    def __init__(self, text: str, where: str, hint: str = _REPACK) -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        self.hint = hint


def fetch(
    top: Manifest | Index,
    get: GetManifest,
    open_blob: OpenBlob,
    rules: ImageRules,
    *,
    pinned: bool = False,
) -> Fetched:
    """Read an image as a release with these rules does.

    :param top: what the reference resolves to
    :param pinned: the reference carries ``@sha256:``, which is compared with the manifest chosen
    """
    try:
        manifest = _choose(top, get, pinned=pinned)
        module = _extract(manifest, open_blob, rules)
        _check_magic(module)
    except _Refused as refused:
        problem = Problem(
            code="IMG001",
            severity=Severity.ERROR,
            where=refused.where,
            message=f"the mesh's fetcher refuses the image: {refused.text!r}",
            hint=refused.hint,
        )
        return Fetched(module=None, problems=(problem,))
    return Fetched(module=module, problems=tuple(_doubts(top)))


def _check_magic(module: bytes) -> None:
    """All that is looked at before the proxy gets the file (cache.go, ``isValidWasmBinary``)."""
    if len(module) < 8 or module[:4] != b"\0asm":
        raise _Refused("fetched Wasm binary is invalid", "plugin.wasm", "build it again")


def _choose(top: Manifest | Index, get: GetManifest, *, pinned: bool) -> Manifest:
    """An index is resolved to linux/amd64, and its own digest never matches."""
    if isinstance(top, Manifest):
        return top
    child = linux_amd64(top)
    if child is None:
        raise _Refused(
            "could not fetch image: no child with platform linux/amd64 in index",
            "index",
            "push a plain image instead of an index, or add a linux/amd64 child",
        )
    if pinned:
        raise _Refused(
            f"module downloaded has checksum {child.digest.hex}, which does not match: "
            f"{top.digest.hex}",
            "reference",
            f"the digest of an index never matches: pin {child.digest} or use the tag",
        )
    found = get(child)
    if isinstance(found, Index):
        raise _Refused("could not fetch image: the linux/amd64 child is an index", "index")
    return found


def _doubts(top: Manifest | Index) -> list[Problem]:
    if isinstance(top, Manifest):
        return []
    return [
        Problem(
            code="IMG002",
            severity=Severity.WARNING,
            where="index",
            message="an index, not an image: it works by tag only, its digest can never be pinned",
            hint="push a plain image (docker buildx: --provenance=false)",
        )
    ]


def _extract(manifest: Manifest, open_blob: OpenBlob, rules: ImageRules) -> bytes:
    """By the media type inside the body: Docker rules alone, or compat and then the artifact's."""
    if manifest.body_media_type == mt.DOCKER_MANIFEST:
        try:
            return _from_tar(manifest, open_blob, rules, mt.DOCKER_LAYER_TAR_GZIP)
        except _Refused as refused:
            raise _Refused(
                f"could not extract Wasm file from the image as Docker container {refused.text}",
                refused.where,
                refused.hint,
            ) from None
    try:
        return _from_tar(manifest, open_blob, rules, mt.OCI_LAYER_TAR_GZIP)
    except _Refused as compat:
        try:
            return _from_artifact(manifest, open_blob, rules)
        except _Refused as artifact:
            raise _Refused(
                "the given image is in invalid format as an OCI image: 2 errors occurred: "
                f"* could not parse as compat variant: {compat.text} "
                f"* could not parse as oci variant: {artifact.text}",
                f"{compat.where}; {artifact.where}"
                if compat.where != artifact.where
                else compat.where,
                compat.hint,
            ) from None


def _from_tar(manifest: Manifest, open_blob: OpenBlob, rules: ImageRules, expected: str) -> bytes:
    layers = manifest.layers
    if rules.one_layer and len(layers) != 1:
        raise _Refused(f"number of layers must be 1 but got {len(layers)}", "manifest.layers")
    if not layers:
        raise _Refused("number of layers must be greater than zero", "manifest.layers")
    last, where = layers[-1], f"manifest.layers[{len(layers) - 1}]"
    if last.media_type != expected:
        raise _Refused(f"invalid media type {last.media_type} (expect {expected})", where)
    return _plugin_in_tar(last, where, open_blob, rules.tar_limit or _UNLIMITED)


def _plugin_in_tar(layer: Descriptor, where: str, open_blob: OpenBlob, limit: int) -> bytes:
    """The first entry of that basename, whatever it is."""
    try:
        entry = next(tar_entries(open_blob(layer), limit, frozenset({mt.PLUGIN_FILE})), None)
    except UnreadableLayer as error:
        gzip = "failed to parse layer as tar.gz: " if "gzip" in error.reason else ""
        raise _Refused(f"could not extract wasm binary: {gzip}{error.reason}", where) from None
    if entry is None:
        raise _Refused(
            "could not extract wasm binary: plugin.wasm not found in the archive",
            where,
            "only the last layer is looked at, and the file must be called plugin.wasm",
        )
    return entry.content


def _from_artifact(manifest: Manifest, open_blob: OpenBlob, rules: ImageRules) -> bytes:
    if len(manifest.layers) != 2:
        raise _Refused(
            f"number of layers must be 2 but got {len(manifest.layers)}", "manifest.layers"
        )
    for layer in manifest.layers:
        if layer.media_type == mt.WASM_CONTENT and layer.digest != manifest.config.digest:
            return _raw(layer, open_blob, rules.content_limit)
    raise _Refused(f"could not find the layer of type {mt.WASM_CONTENT}", "manifest.layers")


def _raw(layer: Descriptor, open_blob: OpenBlob, limit: int | None) -> bytes:
    """Raw bytes; what is over the limit is cut and accepted (imagefetcher.go, io.LimitReader)."""
    data = b"".join(open_blob(layer))
    return data if limit is None else data[:limit]
