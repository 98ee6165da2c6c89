"""The pull secret as istio-agent looks into it (istio pkg/wasm/imagefetcher.go, ``wasmKeyChain``).

>>> registry_key("docker.io"), registry_key("quay.io")
('https://index.docker.io/v1/', 'quay.io')

Type ``kubernetes.io/dockerconfigjson``, one key ``.dockerconfigjson``, in the plugin's own
namespace; in it the entry whose key is exactly the registry's host and port.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Self

from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Rule
from wasmpack.kubeyaml.documents import Document, cut
from wasmpack.mesh.plugin import DEFAULT_NAMESPACE, Plugin, mapping
from wasmpack.oci.canonical import JsonObject, canonical_json, parse_json_object
from wasmpack.oci.reference import DOCKER_HUB, Reference

SECRET_TYPE = "kubernetes.io/dockerconfigjson"  # noqa: S105 - a type, no secret
SECRET_KEY = ".dockerconfigjson"  # noqa: S105 - a key, no secret
USELESS_PULL_SECRET = Rule(
    code="WPL010",
    title="a pull secret that does not let the mesh pull the image",
    otherwise="warning",
    cause="namespace, type, key or registry, if the Secret is among the files; a warning for a "
    "namespace in its name, which is ignored",
    consumer="Istio: `missing image pulling secret`, or an anonymous pull",
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
