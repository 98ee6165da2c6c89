"""How the mesh pulls the image of a resource: digest, tag, pull policy, pull secret.

The pull secret has the type ``kubernetes.io/dockerconfigjson``, one key ``.dockerconfigjson``, and
is in the plugin's own namespace; in it counts the entry whose key is exactly the registry's host
and port.

Sources: istio pkg/wasm/cache.go (digests, pull policy), pilot/pkg/model/extensions.go and istio
pkg/wasm/imagefetcher.go, ``wasmKeyChain`` (pull secret).

>>> registry_key("docker.io"), registry_key("quay.io")
('https://index.docker.io/v1/', 'quay.io')
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Self

from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import Document, cut
from wasmpack.mesh.plugin import DEFAULT_NAMESPACE, Plugin, mapping
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonObject, canonical_json, parse_json_object
from wasmpack.oci.reference import DOCKER_HUB, LATEST, Reference

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # noqa: S105 - a type, no secret
SECRET_KEY = ".dockerconfigjson"  # noqa: S105 - a key, no secret
USELESS_PULL_SECRET = Rule(
    code="WPL010",
    title="a pull secret that does not let the mesh pull the image",
    severity=Severity.ERROR,
    otherwise="warning",
    cause="namespace, type, key or registry, if the Secret is among the files; a warning for a "
    "namespace in its name, which is ignored",
    consumer="Istio: `missing image pulling secret`, or an anonymous pull",
    example="imagePullSecret: other-namespace/quay",
    fix="`wasmpack render secret`",
)
_LISTED = 5
"""Registries that a message names."""
_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullSecret:
    """A Secret among the files; its content stays out of ``repr``."""

    document: Document = field(repr=False)
    name: str
    namespace: str
    auths: JsonObject = field(repr=False)
    """By registry; parsed once, for all plugins that name it."""
    known: str = field(repr=False)
    """The first registries, for messages."""
    fault: str = ""
    """Why there are none to read."""

    @classmethod
    def of(cls, document: Document) -> Self | None:
        """The Secret that a document is, if it is one."""
        value = mapping(document.value)
        if value.get("kind") != "Secret":
            return None
        metadata = mapping(value.get("metadata"))
        auths, fault = _auths(value)
        return cls(
            document=document,
            name=str(metadata.get("name", "")),
            namespace=str(metadata.get("namespace") or DEFAULT_NAMESPACE),
            auths=auths,
            known=_listed(auths),
            fault=fault,
        )

    def problems(self, plugin: Plugin, reference: Reference) -> Iterator[Problem]:
        """Why it would not let the mesh pull this image."""
        namespace = plugin.namespace or DEFAULT_NAMESPACE
        if self.namespace != namespace:
            own = cut(self.namespace)
            message = f"is in the namespace {own}; the mesh looks in {namespace} only"
            yield self._problem(plugin, message, f"namespace: {namespace}")
        kind = mapping(self.document.value).get("type")
        if kind != SECRET_TYPE:
            message = f"has the type {kind or 'Opaque'}: 'missing image pulling secret'"
            yield self._problem(plugin, message, f"type: {SECRET_TYPE}")
            return
        if self.fault:
            yield self._problem(plugin, self.fault, "wasmpack render secret")
            return
        key = registry_key(reference.registry)
        if key not in self.auths:
            message = f"holds credentials {self.known}; the mesh looks for the key {key}, exactly"
            yield self._problem(plugin, message, f"wasmpack render secret {reference.registry}")

    def credential(self, reference: Reference) -> tuple[str, str] | None:
        """User and password for the image's registry, as the mesh would find them."""
        try:
            entry = mapping(self.auths.get(registry_key(reference.registry)))
            if isinstance(entry.get("username"), str) and isinstance(entry.get("password"), str):
                return str(entry["username"]), str(entry["password"])
            user, colon, word = base64.b64decode(str(entry.get("auth"))).decode().partition(":")
        except ValueError:
            return None
        return (user, word) if colon else None

    def _problem(self, plugin: Plugin, message: str, hint: str) -> Problem:
        text = f"the Secret {cut(self.name)} ({self.document.where()}) {message}"
        return plugin.problem(USELESS_PULL_SECRET, "imagePullSecret", text, hint)


def _auths(secret: JsonObject) -> tuple[JsonObject, str]:
    """The credentials by registry, or why there are none."""
    try:
        return mapping(_content(secret).get("auths")), ""
    except BadArtifact as error:
        return {}, error.message


def _listed(auths: JsonObject) -> str:
    if not auths:
        return "for no registry"
    more = len(auths) - _LISTED
    names = nsmallest(_LISTED, map(cut, auths))
    return f"only for {', '.join(names)}" + (f" and {more} more" if more > 0 else "")


def _content(secret: JsonObject) -> JsonObject:
    plain = mapping(secret.get("stringData")).get(SECRET_KEY)
    encoded = mapping(secret.get("data")).get(SECRET_KEY)
    if isinstance(plain, str):
        return parse_json_object(plain.encode(), SECRET_KEY)
    if not isinstance(encoded, str):
        raise BadArtifact(f"has no key {SECRET_KEY}")
    try:
        raw = base64.b64decode(re.sub(r"[\r\n]", "", encoded), validate=True)
    except (binascii.Error, ValueError):
        raise BadArtifact(f"data: {SECRET_KEY} is not base64") from None
    if raw.strip() == b"null":
        raise BadArtifact(f"{SECRET_KEY} is null")
    return parse_json_object(raw, SECRET_KEY)


def registry_key(registry: str) -> str:
    """The key under which credentials for a registry are looked up, exactly."""
    return _HUB_KEY if registry == DOCKER_HUB else registry


def secret_content(registry: str, username: str, password: str) -> str:
    """The JSON behind ``.dockerconfigjson``, as base64."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    entry = {"username": username, "password": password, "auth": auth}
    return base64.b64encode(canonical_json({"auths": {registry_key(registry): entry}})).decode()


DIGEST_NEVER_MATCHES = Rule(
    code="WPL006",
    title="a digest that can never match",
    cause="that of a layer, of an index, of another image, or two that differ",
    consumer="Istio: `has checksum …, which does not match`",
    example="url: oci://quay.io/me/plugin:v1@sha256:0be1…\nsha256: 77ab…",
    fix="`wasmpack render wasmplugin --pin`",
)
MOVING_IMAGE = Rule(
    code="WPL007",
    title="an image that is not pinned, or pulled at other times than it seems",
    severity=Severity.WARNING,
    otherwise="info",
    cause="a tag can move, `:latest` is kept, `Always` pulls when the resource changes",
    consumer="Istio",
    example="url: oci://quay.io/me/plugin:latest",
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
    """Findings on the pull fields for a release that honours them."""
    if plugin.text("imagePullSecret") != plugin.pull_secret:
        message = f"its namespace is ignored: {plugin.pull_secret} is looked for in the own one"
        yield plugin.problem(
            USELESS_PULL_SECRET,
            "imagePullSecret",
            message,
            plugin.pull_secret,
            severity=Severity.WARNING,
        )
    if url.reference is None and not url.fetched:
        return
    policy = plugin.text("imagePullPolicy")
    if checksum(plugin, url):
        if policy == "Always":
            message = "without effect: with a digest the mesh takes what it has under that digest"
            yield plugin.problem(
                MOVING_IMAGE, "imagePullPolicy", message, "leave it out", severity=Severity.INFO
            )
        return
    yield from _moving(plugin, url, policy)


def _moving(plugin: Plugin, url: MeshUrl, policy: str) -> Iterator[Problem]:
    pin = "pin the digest: wasmpack render wasmplugin --pin"
    if url.reference is None:
        pin = "sha256: that of the module, out of its gzip or tar (sha256sum)"
    if policy == "Always":
        what = "the tag moves" if url.reference else "the file changes"
        message = (
            f"the mesh pulls again only when this resource changes, not when {what} or a pod starts"
        )
        yield plugin.problem(MOVING_IMAGE, "imagePullPolicy", message, pin)
    elif url.reference is None:
        message = "the file can change; proxies then run different modules"
        yield plugin.problem(MOVING_IMAGE, "url", message, pin, severity=Severity.INFO)
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
