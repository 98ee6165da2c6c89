"""Results of each consumer's fetcher for an image: the module, or the reason of its refusal."""

from dataclasses import dataclass

from wasmpack.fetchers import gcp, istio
from wasmpack.fetchers.go_json import refused_by_go
from wasmpack.fetchers.refusal import REPACK, NotWasm, Refused
from wasmpack.findings import Blank, Command, Hint, Problem, Rule, Severity
from wasmpack.images.indexes import GetManifest, mesh_image
from wasmpack.oci import media_types as mt
from wasmpack.oci.layers import Layers, OpenBlob
from wasmpack.oci.manifest import Index, Manifest, parse
from wasmpack.targets import Fetcher, ImageRules

INDEX = Rule(
    code="IMG002",
    title="an index",
    severity=Severity.WARNING,
    cause="it works by tag; its own digest can never be pinned, that of the image in it can",
    consumer="all that read images",
    example="docker buildx build --platform linux/amd64,linux/arm64 --push .",
    fix="push a plain image, or pin the image in it: `wasmpack render wasmplugin --pin`",
)

_SCHEMA_1 = {
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The module's bytes as this release would get them, or why it gets none."""

    module: bytes | None
    problems: tuple[Problem, ...]
    not_wasm: bool = False
    """The file was fetched but is not a module: the module is at fault, not the image."""


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
    layers = Layers.of(open_blob)
    try:
        if rules.reader is Fetcher.GCP:
            manifest = _choose(top, get, pinned=False)
            module = gcp.only_file(manifest, layers)
        else:
            manifest = _choose(_as_served(top), lambda row: _as_served(get(row)), pinned=pinned)
            module = istio.extract(manifest, layers, rules)
        _check_magic(module)
    except Refused as refused:
        problem = _problem(refused, rules)
        return Fetched(module=None, problems=(problem,), not_wasm=isinstance(refused, NotWasm))
    return Fetched(module=module, problems=tuple(_doubts(top, manifest)))


def _problem(refused: Refused, rules: ImageRules) -> Problem:
    if rules.reader is Fetcher.GCP:
        rule = gcp.NOT_ALONE
        said = f"Service Extensions takes an image that holds plugin.wasm alone: {refused.text}"
    else:
        rule, said = istio.REFUSED, f"the mesh's fetcher refuses the image: {refused.text!r}"
    return rule.problem(refused.where, said, refused.hint)


def _check_magic(module: bytes) -> None:
    """All that is looked at before the proxy gets the file (cache.go, ``isValidWasmBinary``)."""
    if len(module) < 8 or module[:4] != b"\0asm":
        raise NotWasm("fetched Wasm binary is invalid", "plugin.wasm", "build it again")


def _choose(top: Manifest | Index, get: GetManifest, *, pinned: bool) -> Manifest:
    """An index is resolved to linux/amd64, and its own digest never matches."""
    found = mesh_image(top, get)
    if found is None:
        raise Refused(
            "could not fetch image: no child with platform linux/amd64 in index",
            "index",
            Hint(command=REPACK, after=" makes a plain image of it"),
        )
    if pinned and found.digest != top.digest:
        raise Refused(
            f"module downloaded has checksum {found.digest.hex}, which does not match: "
            f"{top.digest.hex}",
            "reference",
            f"the digest of an index never matches: pin {found.digest} or use the tag",
        )
    return found


def _as_served(found: Manifest | Index) -> Manifest | Index:
    """A document as go-containerregistry takes it, which goes by the ``Content-Type`` alone.

    Anything but the types of an index is an image (remote/descriptor.go, ``Descriptor.Image``), so
    an index under another type has no layers.
    """
    if found.served in _SCHEMA_1:
        text = f'could not fetch image: unsupported MediaType "{found.served}"'
        raise Refused(text, "manifest", Hint(command=REPACK))
    if isinstance(found, Manifest):
        return found
    if found.served and found.served not in mt.INDEXES:
        return parse(found.raw, mt.OCI_MANIFEST)
    if text := refused_by_go(found):
        raise Refused(f"could not fetch image: {text}", "index", Hint(command=REPACK))
    return found


def _doubts(top: Manifest | Index, chosen: Manifest) -> list[Problem]:
    if isinstance(top, Manifest):
        return []
    return [
        INDEX.problem(
            "index",
            "an index, not an image: it works by tag, but its own digest can never be pinned, only "
            f"that of the image in it, {chosen.digest}",
            Hint(
                command=Command("copy", (Blank.IMAGE, Blank.DESTINATION)),
                after=" copies that image out of it, render wasmplugin --pin pins it "
                "(docker buildx: --provenance=false makes no index)",
            ),
        )
    ]
