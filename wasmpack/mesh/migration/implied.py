"""What the old mesh did without being told, and what now has to be said.

Sources: maistra/istio mec/pkg/pullstrategy/ossm/strategy.go (pulling),
pkg/servicemesh/extension/apply_extension.go (root id),
pilot/pkg/networking/core/v1alpha3/listener_builder.go (inbound only).
"""

from wasmpack.findings import Severity
from wasmpack.kubeyaml.documents import FieldPath, shortened
from wasmpack.mesh.behaviour import GATEWAY_LABELS
from wasmpack.mesh.migration.work import Work
from wasmpack.mesh.plugin import mapping
from wasmpack.oci.canonical import JsonObject

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_LONGEST_ROOT_ID = 256


def pulling(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "imagePullPolicy")
    policy = work.extension.spec.get("imagePullPolicy")
    if policy == "Never":
        message = "there is no Never any more: written as IfNotPresent, which pulls once"
        work.say("SME009", _WARNING, at, message)
        policy = "IfNotPresent"
    if policy in ("Always", "IfNotPresent"):
        spec["imagePullPolicy"] = policy
    elif policy not in (None, ""):
        hint = "Always or IfNotPresent"
        work.say("SME001", _ERROR, at, f"{shortened(policy)} is no pull policy", hint)
    if policy == "Always":
        message = "now pulls again only when the resource changes"
        work.say("SME009", _INFO, at, message)
    _pull_secret(work, spec)


def _pull_secret(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "imagePullSecrets")
    found = work.extension.spec.get("imagePullSecrets")
    if found is not None and not isinstance(found, list):
        work.say("SME001", _ERROR, at, "expected a list of names")
        return
    names = [mapping(item).get("name") for item in found or []]
    if any(not isinstance(name, str) or not name for name in names):
        work.say("SME001", _ERROR, at, "expected items of the form {name: …}")
        return
    if names:
        spec["imagePullSecret"] = names[0]
        message = (
            "was never used: OpenShift's import found secrets by itself. Now the mesh uses it, and "
            "it must be of type kubernetes.io/dockerconfigjson in this namespace"
        )
        work.say("SME010", _INFO, at, message, "wasmpack render secret")
    else:
        message = (
            "no pull secret: the old mesh pulled through OpenShift's import, with the "
            "namespace's secrets; a WasmPlugin pulls from a private registry with one only"
        )
        work.say("SME010", _WARNING, at, message, "wasmpack render secret")
    for number, name in enumerate(names[1:], 1):
        message = f"{name} is left out: a WasmPlugin has one pull secret"
        hint = "put all registries into one Secret"
        work.say("SME010", _WARNING, (*at, number), message, hint)


def root_id(work: Work, spec: JsonObject) -> None:
    if not work.extension.name:
        return
    root_id = f"{work.extension.name}_root"
    if work.options.as_published or not work.options.root_id:
        message = f"the root id {root_id} is left out: a plugin that asks for it does not find it"
        work.say("SME016", _WARNING, ("metadata", "name"), message)
        return
    if len(root_id) > _LONGEST_ROOT_ID:
        message = f"the root id {root_id[:20]}… is longer than {_LONGEST_ROOT_ID} characters"
        work.say("SME001", _ERROR, ("metadata", "name"), message, "--no-root-id")
        return
    spec["pluginName"] = root_id
    work.notes["spec", "pluginName"] = "the root id that the old mesh gave it"


def direction(work: Work, spec: JsonObject) -> None:
    labels = mapping(mapping(work.extension.spec.get("workloadSelector")).get("labels"))
    gateway = labels.get("istio") in GATEWAY_LABELS
    at: FieldPath = ("spec", "workloadSelector") if labels else ("spec",)
    if gateway:
        if work.options.inbound_only:
            message = "selects a gateway, where 'inbound only' would mean never: not written"
            work.say("SME011", _WARNING, at, message)
        return
    if work.options.inbound_only:
        spec["match"] = [{"mode": "SERVER"}]
        work.notes["spec", "match"] = "inbound only, as before; take it out for a gateway"
        message = "OpenShift Service Mesh 2.2 has no match, and needs none: apply this after it"
        work.say("SME011", _INFO, at, message)
        if not labels:
            message = "selects all workloads: on gateways among them it will not run"
            work.say("SME011", _WARNING, at, message, "write another one for the gateways")
        return
    if not work.options.both_directions:
        return
    message = "in sidecars it ran on inbound traffic only, and now runs on outbound traffic too"
    hint = (
        "--inbound-only, if it is for sidecars; on OpenShift Service Mesh 2.3 and 2.4 also pilot's "
        "variable APPLY_WASM_PLUGINS_TO_INBOUND_ONLY"
    )
    work.say("SME011", _WARNING, at, message, hint)
