"""Defaults of the old mesh that now have to be set explicitly.

Sources: maistra/istio mec/pkg/pullstrategy/ossm/strategy.go (pulling),
pkg/servicemesh/extension/apply_extension.go (root id),
pilot/pkg/networking/core/v1alpha3/listener_builder.go (inbound only).
"""

from wasmpack.findings import Rule, Severity
from wasmpack.kubeyaml.documents import FieldPath, shortened
from wasmpack.mesh.direction import GATEWAY_LABELS
from wasmpack.mesh.migration.extension import Work
from wasmpack.mesh.migration.fields import NOT_CARRIED_OVER
from wasmpack.mesh.plugin import mapping
from wasmpack.oci.canonical import JsonObject

PULL_POLICY_DIFFERS = Rule(
    code="SME009",
    title="a pull policy that means another thing now",
    severity=Severity.WARNING,
    otherwise="info",
    cause="`Never` is gone, `Always` pulls only when the resource changes",
    example="imagePullPolicy: Never",
    fix="none",
)
PULL_SECRET_DIFFERS = Rule(
    code="SME010",
    title="pull secrets that work differently now",
    severity=Severity.WARNING,
    otherwise="info",
    cause="one instead of several, and used for the first time",
    example="imagePullSecrets: [{name: a}, {name: b}]",
    fix="`wasmpack render secret`",
)
DIRECTION_DIFFERS = Rule(
    code="SME011",
    title="another direction of traffic",
    severity=Severity.WARNING,
    otherwise="info",
    cause="in sidecars inbound only, now both",
    example="workloadSelector: {labels: {app: httpbin}}",
    fix="`--inbound-only`, not for gateways",
)
NO_ROOT_ID = Rule(
    code="SME016",
    title="the root id is left out, as asked",
    severity=Severity.WARNING,
    cause="a plugin that registers under it is not found",
    example="wasmpack migrate servicemeshextension old.yaml --no-root-id",
    fix="leave `--no-root-id` or `--as-published` out",
)
_LONGEST_ROOT_ID = 256


def pulling(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "imagePullPolicy")
    policy = work.extension.spec.get("imagePullPolicy")
    if policy == "Never":
        message = "there is no Never any more: written as IfNotPresent, which pulls once"
        work.say(PULL_POLICY_DIFFERS, at, message)
        policy = "IfNotPresent"
    if policy in ("Always", "IfNotPresent"):
        spec["imagePullPolicy"] = policy
    elif policy not in (None, ""):
        hint = "Always or IfNotPresent"
        work.say(NOT_CARRIED_OVER, at, f"invalid pull policy {shortened(policy)}", hint)
    if policy == "Always":
        message = "now pulls again only when the resource changes"
        work.say(PULL_POLICY_DIFFERS, at, message, severity=Severity.INFO)
    _pull_secret(work, spec)


def _pull_secret(work: Work, spec: JsonObject) -> None:
    at: FieldPath = ("spec", "imagePullSecrets")
    found = work.extension.spec.get("imagePullSecrets")
    if found is not None and not isinstance(found, list):
        work.say(NOT_CARRIED_OVER, at, "expected a list of names")
        return
    names = [mapping(item).get("name") for item in found or []]
    if any(not isinstance(name, str) or not name for name in names):
        work.say(NOT_CARRIED_OVER, at, "expected items of the form {name: …}")
        return
    if names:
        spec["imagePullSecret"] = names[0]
        message = (
            "was never used: OpenShift's import found secrets by itself. Now the mesh uses it, and "
            "it must be of type kubernetes.io/dockerconfigjson in this namespace"
        )
        work.say(PULL_SECRET_DIFFERS, at, message, "wasmpack render secret", severity=Severity.INFO)
    else:
        message = (
            "no pull secret: the old mesh pulled through OpenShift's import, with the "
            "namespace's secrets; a WasmPlugin pulls from a private registry with one only"
        )
        work.say(PULL_SECRET_DIFFERS, at, message, "wasmpack render secret")
    for number, name in enumerate(names[1:], 1):
        message = f"{name} is left out: a WasmPlugin has one pull secret"
        hint = "put all registries into one Secret"
        work.say(PULL_SECRET_DIFFERS, (*at, number), message, hint)


def root_id(work: Work, spec: JsonObject) -> None:
    if not work.extension.name:
        return
    root_id = f"{work.extension.name}_root"
    if work.options.as_published or not work.options.root_id:
        message = f"the root id {root_id} is left out: a plugin that asks for it does not find it"
        work.say(NO_ROOT_ID, ("metadata", "name"), message)
        return
    if len(root_id) > _LONGEST_ROOT_ID:
        message = f"the root id {root_id[:20]}… is longer than {_LONGEST_ROOT_ID} characters"
        work.say(NOT_CARRIED_OVER, ("metadata", "name"), message, "--no-root-id")
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
            work.say(DIRECTION_DIFFERS, at, message)
        return
    if work.options.inbound_only:
        spec["match"] = [{"mode": "SERVER"}]
        work.notes["spec", "match"] = "inbound only, as before; take it out for a gateway"
        message = "OpenShift Service Mesh 2.2 has no match, and needs none: apply this after it"
        work.say(DIRECTION_DIFFERS, at, message, severity=Severity.INFO)
        if not labels:
            message = "selects all workloads: on gateways among them it will not run"
            work.say(DIRECTION_DIFFERS, at, message, "write another one for the gateways")
        return
    if not work.options.both_directions:
        return
    message = "in sidecars it ran on inbound traffic only, and now runs on outbound traffic too"
    hint = (
        "--inbound-only, if it is for sidecars; on OpenShift Service Mesh 2.3 and 2.4 also pilot's "
        "variable APPLY_WASM_PLUGINS_TO_INBOUND_ONLY"
    )
    work.say(DIRECTION_DIFFERS, at, message, hint)
