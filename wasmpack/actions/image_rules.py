"""Findings about an image besides its fetchers' verdicts: its name, registry and blobs."""

from wasmpack.errors import BadArtifact, DigestMismatch, NotFound
from wasmpack.fetchers.istio import REFUSED
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.images.image import Image
from wasmpack.oci.manifest import Manifest
from wasmpack.oci.reference import DOCKER_HUB, Reference
from wasmpack.stores.verified import WrongContent
from wasmpack.targets.realm import ADVICE, UNSAFE_REALM, refused_realm

MEDIA_TYPES_DIFFER = Rule(
    code="IMG005",
    title="the manifest's body names another media type than the one it was served with",
    severity=Severity.WARNING,
    consumer="Istio goes by the body; other clients, `wasmpack pull` among them, refuse it",
    example="Content-Type: application/vnd.oci.image.manifest.v1+json\n"
    '{"mediaType": "application/vnd.docker.distribution.manifest.v2+json"}',
    fix="build and push again",
)
CUT_MODULE = Rule(
    code="IMG006",
    title="the module is larger than what the fetcher reads of a raw layer, and is silently cut "
    "there",
    consumer="Istio since 1.30",
    example="300000000 bytes are more than the 268435456 the mesh's fetcher reads",
    fix="make it smaller",
)
UNREADABLE_IMAGE = Rule(
    code="IMG004",
    title="a blob is missing, damaged or unreadable",
    consumer="all",
    example="oci-archive:plugin.tar: blob sha256:3f1a… of the image is missing",
    fix="build and push again",
)


def cut_module(size: int, limit: int) -> Problem:
    """The fetcher gets the beginning of a module."""
    return CUT_MODULE.problem(
        "plugin.wasm",
        f"{size} bytes are more than the {limit} the mesh's fetcher reads: silently cut there",
        "strip debug information (wasm-opt --strip-debug), or make the plugin smaller; "
        "ISTIO_WASM_MAX_BINARY_SIZE_BYTES on the proxy raises the limit",
    )


def realm_problems(challenge: str) -> list[Problem]:
    """Reasons why the fetcher rejects the registry itself, if it requested a login."""
    words = refused_realm(challenge)
    if not words:
        return []
    return [
        UNSAFE_REALM.problem(
            "registry",
            f"its fetcher refuses this registry, whatever the credentials: {words!r}",
            ADVICE,
        )
    ]


def name_problems(image: Image) -> list[Problem]:
    """A repository of one letter (go-containerregistry, name/repository.go: 2 to 255)."""
    if image.source not in {"local", "registry"}:
        return []
    reference = Reference.parse(image.reference.removeprefix("docker://"))
    hub = "library/" if reference.registry == DOCKER_HUB else ""
    if len(reference.repository.removeprefix(hub)) > 1:
        return []
    words = f"could not parse url in image reference: could not parse reference: {reference}"
    hint = "a repository of two characters or more"
    return [REFUSED.problem("reference", f"the mesh's fetcher refuses the name: {words!r}", hint)]


def disagreement(image: Manifest) -> list[Problem]:
    """The media types of a manifest's body and of its header."""
    if not image.body_media_type or image.body_media_type == image.media_type:
        return []
    return [
        MEDIA_TYPES_DIFFER.problem(
            "manifest.mediaType",
            f"the body says {image.body_media_type}, but it was served as "
            f"{image.media_type}: the mesh goes by the body, other clients refuse it",
            "build and push the image again",
        )
    ]


def unreadable(error: BadArtifact | DigestMismatch | NotFound) -> Problem:
    """A part of an image that cannot be read, and why not where a mesh may read it."""
    hint = error.hint or "build and push the image again"
    return UNREADABLE_IMAGE.problem("image", error.message + _stricter(error), hint)


def _stricter(error: BadArtifact | DigestMismatch | NotFound) -> str:
    """A mesh checks a digest only where it reads to the end (imagefetcher.go)."""
    if not isinstance(error, WrongContent):
        return ""
    return (
        "; a mesh that stops reading at plugin.wasm may load it, but it is refused here: the "
        "digest does not vouch for these bytes"
    )
