"""How the mesh pulls the image of a resource: digest, tag, pull policy, pull secret.

Sources: istio pkg/wasm/cache.go (digests, pull policy), pilot/pkg/model/extensions.go (pull
secret).
"""

from collections.abc import Iterator

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.pull_secret import USELESS_PULL_SECRET
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.reference import LATEST

DIGEST_NEVER_MATCHES = Rule(
    code="WPL006",
    title="a digest that can never match",
    cause="that of a layer, of an index, of another image, or two that differ",
    consumer="Istio: `has checksum …, which does not match`",
    fix="`wasmpack render wasmplugin --pin`",
)
MOVING_IMAGE = Rule(
    code="WPL007",
    title="an image that is not pinned, or pulled at other times than it seems",
    severity=Severity.WARNING,
    otherwise="info",
    cause="a tag can move, `:latest` is kept, `Always` pulls when the resource changes",
    consumer="Istio",
    fix="pin the digest",
)


def checksum(plugin: Plugin, url: MeshUrl) -> str:
    """The digest that the mesh compares, in hex; empty if there is none (cache.go)."""
    given = plugin.text("sha256")
    if given or url.reference is None or url.reference.digest is None:
        return given
    return url.reference.digest.hex


def digest_problems(plugin: Plugin, url: MeshUrl) -> Iterator[Problem]:
    """Two digests that disagree can never both match."""
    given = plugin.text("sha256")
    digest = url.reference.digest if url.reference else None
    if digest is None:
        return
    if digest.algorithm != "sha256":
        message = f"the mesh knows sha256 digests only, not {digest.algorithm}"
        yield plugin.problem(DIGEST_NEVER_MATCHES, "url", message)
    elif given and given != digest.hex:
        message = f"is not the digest of the URL ({digest.hex}): the mesh refuses the image"
        yield plugin.problem(DIGEST_NEVER_MATCHES, "sha256", message, "keep one of them")


def pulling_problems(plugin: Plugin, url: MeshUrl) -> Iterator[Problem]:
    """What a release that honours the fields about pulling makes of them."""
    if plugin.text("imagePullSecret") != plugin.pull_secret:
        message = f"its namespace is ignored: {plugin.pull_secret} is looked for in the own one"
        yield plugin.problem(
            USELESS_PULL_SECRET,
            "imagePullSecret",
            message,
            plugin.pull_secret,
            severity=Severity.WARNING,
        )
    if url.reference is None:
        return
    policy = plugin.text("imagePullPolicy")
    if checksum(plugin, url):
        if policy == "Always":
            message = "without effect: with a digest the mesh takes what it has under that digest"
            yield plugin.problem(
                MOVING_IMAGE, "imagePullPolicy", message, "leave it out", severity=Severity.INFO
            )
        return
    yield from _tag(plugin, url, policy)


def _tag(plugin: Plugin, url: MeshUrl, policy: str) -> Iterator[Problem]:
    assert url.reference is not None
    pin = "pin the digest: wasmpack render wasmplugin --pin"
    if policy == "Always":
        message = (
            "the mesh pulls again only when this resource changes, not when the tag moves or a pod "
            "starts"
        )
        yield plugin.problem(MOVING_IMAGE, "imagePullPolicy", message, pin)
    elif url.reference.tag is None:
        message = "no tag: latest is pulled once and then kept, as for IfNotPresent"
        yield plugin.problem(MOVING_IMAGE, "url", message, pin)
    elif url.reference.tag == LATEST:
        kept = "the first image pulled is kept" if policy else "pulled again when this changes only"
        message = f":latest moves, and each proxy runs the one it pulled: {kept}"
        yield plugin.problem(MOVING_IMAGE, "url", message, pin)
    else:
        message = "a tag can move; proxies then run different images"
        yield plugin.problem(MOVING_IMAGE, "url", message, pin, severity=Severity.INFO)
