"""The same plugin as each of the kinds that can carry it.

Fields go by WasmPlugin's names; what a kind cannot say is an error that names the field.

Sources: istio/api extensions/v1alpha1 (WasmPlugin, TrafficExtension), Envoy Gateway
api/v1alpha1/wasm_types.go and envoyextensionpolicy_types.go, istio/api networking/v1alpha3
envoy_filter.proto.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

from wasmpack.errors import WrongUsage
from wasmpack.mesh.envoy_filter import HTTP_TYPES, envoy_filter_spec
from wasmpack.mesh.extension_policy import POLICY_KINDS
from wasmpack.mesh.plugin import GATEWAY_GROUP, filled, mapping, mappings
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonObject, JsonValue

Fields = Mapping[str, JsonValue]


class Kind(StrEnum):
    """Kinds of resources that can be rendered."""

    WASM_PLUGIN = "WasmPlugin"
    TRAFFIC_EXTENSION = "TrafficExtension"
    ENVOY_EXTENSION_POLICY = "EnvoyExtensionPolicy"
    ENVOY_FILTER = "EnvoyFilter"

    @property
    def template(self) -> str:
        """Name of its default template."""
        return f"{self.value.lower()}.yaml"


ORDER = (
    "selector",
    "workloadSelector",
    "targetRef",
    "targetRefs",
    "url",
    "sha256",
    "imagePullPolicy",
    "imagePullSecret",
    "pluginName",
    "phase",
    "priority",
    "failStrategy",
    "type",
    "match",
    "vmConfig",
    "pluginConfig",
    "wasm",
)
"""Fields of a spec in the order in which they are written; others follow."""
_OUTSIDE = ("selector", "targetRefs", "phase", "priority", "match")
TARGET_GROUPS = {
    "Service": "",
    "ServiceEntry": "networking.istio.io",
    **dict.fromkeys((*POLICY_KINDS, "GatewayClass"), GATEWAY_GROUP),
}
"""API group of each kind that a plugin can be attached to."""


def spec_of(kind: Kind, name: str, fields: Fields) -> JsonObject:
    """The ``spec`` that says it.

    :param name: of the resource
    :raises WrongUsage: a field that this kind cannot say
    """
    writers: dict[Kind, Callable[[str, Fields], JsonObject]] = {
        Kind.WASM_PLUGIN: lambda _name, given: dict(given),
        Kind.TRAFFIC_EXTENSION: _traffic_extension,
        Kind.ENVOY_EXTENSION_POLICY: _extension_policy,
        Kind.ENVOY_FILTER: envoy_filter_spec,
    }
    return writers[kind](name, fields)


def _traffic_extension(_name: str, fields: Fields) -> JsonObject:
    _refuse(Kind.TRAFFIC_EXTENSION, fields, {"targetRef": "use --target-ref: targetRefs"})
    outside: JsonObject = {key: fields[key] for key in _OUTSIDE if key in fields}
    if outside.get("phase") == "UNSPECIFIED_PHASE":
        outside["phase"] = "UNSPECIFIED"
    wasm: JsonObject = {key: value for key, value in fields.items() if key not in _OUTSIDE}
    return {**outside, "wasm": wasm} if wasm else outside


def _extension_policy(name: str, fields: Fields) -> JsonObject:
    _refuse(
        Kind.ENVOY_EXTENSION_POLICY,
        fields,
        {
            "selector": "--target-ref Gateway/NAME or HTTPRoute/NAME",
            "match": "a target reference says where it runs",
            "phase": "the order of the list says when it runs",
            "verificationKey": "no release verifies signatures",
        },
    )
    if fields.get("priority"):
        raise WrongUsage(
            "EnvoyExtensionPolicy has no priority", hint="the order of its list says when it runs"
        )
    if fields.get("type") not in HTTP_TYPES:
        raise WrongUsage("EnvoyExtensionPolicy: plugins of type HTTP only")
    if fields.get("failStrategy") == "FAIL_RELOAD":
        raise WrongUsage("EnvoyExtensionPolicy has no FAIL_RELOAD", hint="FAIL_OPEN or FAIL_CLOSE")
    refs = mappings(fields.get("targetRefs"))
    if not refs:
        raise WrongUsage(
            "EnvoyExtensionPolicy needs a target",
            hint="--target-ref Gateway/NAME or HTTPRoute/NAME",
        )
    wrong = [ref for ref in refs if ref.get("kind") not in POLICY_KINDS]
    if wrong:
        raise WrongUsage(
            f"EnvoyExtensionPolicy cannot be attached to a {wrong[0].get('kind')}",
            hint=f"one of {', '.join(POLICY_KINDS)}",
        )
    wasm: JsonObject = {
        "name": name,
        "rootID": fields.get("pluginName"),
        "code": _policy_code(fields),
        "config": fields.get("pluginConfig"),
        "failOpen": fields.get("failStrategy") == "FAIL_OPEN",
        "env": filled({"hostKeys": _host_keys(fields)}),
    }
    return {"targetRefs": list(refs), "wasm": [filled(wasm)]}


def _policy_code(fields: Fields) -> JsonObject:
    url = MeshUrl.parse(str(fields["url"]))
    if url.scheme == "file":
        raise WrongUsage("Envoy Gateway loads images and http(s) URLs, no files")
    place = filled({"url": str(url.reference or url.text), "sha256": fields.get("sha256")})
    if url.reference is not None and fields.get("imagePullSecret"):
        place["pullSecretRef"] = {"name": fields["imagePullSecret"]}
    code: JsonObject = {"type": "HTTP", "http": place}
    if url.reference is not None:
        code = {"type": "Image", "image": place}
    if fields.get("imagePullPolicy") not in (None, "UNSPECIFIED_POLICY"):
        code["pullPolicy"] = fields["imagePullPolicy"]
    return code


def _host_keys(fields: Fields) -> list[JsonValue]:
    entries = mappings(mapping(fields.get("vmConfig")).get("env"))
    for entry in entries:
        if entry.get("valueFrom") != "HOST":
            raise WrongUsage(
                f"Envoy Gateway hands over variables of the proxy only, no value for "
                f"{entry.get('name')}",
                hint=f"--env {entry.get('name')} without a value",
            )
    return [entry.get("name") for entry in entries]


def _refuse(kind: Kind, fields: Fields, hints: Mapping[str, str]) -> None:
    for name, hint in hints.items():
        if fields.get(name) and fields[name] != "UNSPECIFIED_PHASE":
            raise WrongUsage(f"{kind.value} has no field for {name}", hint=hint)
