"""Rules of Kubernetes' ObjectMeta that its types alone do not say.

Source: k8s.io/apimachinery pkg/api/validation/objectmeta.go (``ValidateObjectMetaAccessor``).
"""

from collections.abc import Iterator

from wasmpack.findings import Problem
from wasmpack.mesh.plugin import Plugin, mapping, mappings
from wasmpack.mesh.schema_rules import BY_NO_SCHEMA
from wasmpack.oci.canonical import JsonObject

_ANNOTATIONS = 256 << 10
"""Bytes of all keys and values together (``TotalAnnotationSizeLimitB``)."""
_BANNED_OWNER = ("v1", "Event")
_BOTH = {"orphan", "foregroundDeletion"}


def metadata_problems(plugin: Plugin) -> Iterator[Problem]:
    """Findings of the API server on ``metadata``, for any kind of resource."""
    found = plugin.value.get("metadata")
    if not isinstance(found, dict):
        return
    for at, reason, hint in _faults(found):
        message = f"the API server refuses it: {reason}"
        yield plugin.problem(BY_NO_SCHEMA, ("metadata", *at), message, hint)


_Fault = tuple[tuple[str | int, ...], str, str]


def _faults(metadata: JsonObject) -> Iterator[_Fault]:
    if not any(key in metadata and metadata[key] != "" for key in ("name", "generateName")):
        yield (), "name or generateName is required", "add a name"
    size = sum(
        len(key.encode()) + len(text.encode())
        for key, text in mapping(metadata.get("annotations")).items()
        if isinstance(text, str)
    )
    if size > _ANNOTATIONS:
        yield ("annotations",), f"{size} bytes; at most {_ANNOTATIONS} are allowed", "shorten them"
    finalizers = metadata.get("finalizers")
    names = (
        {name for name in finalizers if isinstance(name, str)}
        if isinstance(finalizers, list)
        else set()
    )
    if names >= _BOTH:
        both = "orphan and foregroundDeletion cannot both be set"
        yield ("finalizers",), both, "keep one"
    yield from _owner_faults(mappings(metadata.get("ownerReferences")))


def _owner_faults(owners: list[JsonObject]) -> Iterator[_Fault]:
    for number, owner in enumerate(owners):
        at = ("ownerReferences", number)
        version = str(owner.get("apiVersion", ""))
        if version.endswith("/") or version.count("/") > 1:
            yield (*at, "apiVersion"), f"{version!r} is not GROUP/VERSION", "group/v1"
        if (version, owner.get("kind")) == _BANNED_OWNER:
            yield at, "an Event cannot be an owner", "leave it out"
    if sum(owner.get("controller") is True for owner in owners) > 1:
        reason = "only one reference can have controller set to true"
        yield ("ownerReferences",), reason, "keep one"
