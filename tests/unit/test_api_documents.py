"""Documents by themselves against what the API server says, each with the sentence it rests on.

The sentences are those of the CRD (istio/api, ``customresourcedefinitions.gen.yaml``), of Istio's
webhook (``ValidateWasmPlugin``) and of Kubernetes (``ValidateObjectMeta``, strict decoding).
"""

from __future__ import annotations

import pytest

from wasmpack.actions.resource_problems import resource_problems
from wasmpack.errors import BadArtifact
from wasmpack.findings import Severity
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.releases import Release, parse_release

pytestmark = pytest.mark.dependencies

HEAD = "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {metadata}\n"
SPEC = "{url: 'oci://r.example/p:v1'}"
E = "é"
"""One character, two bytes."""
Row = tuple[str, str]


def refused(text: str, release: Release) -> bool:
    """Whether the resource has an error on the release."""
    try:
        (document,) = read_documents(text.encode(), "f")
    except BadArtifact:
        return True
    (problems,) = resource_problems(Plugin.of(document), {"": release}).values()
    return any(problem.severity is Severity.ERROR for problem in problems)


def resource(spec: str = SPEC, metadata: str = "{name: x}", kind: str = "WasmPlugin") -> str:
    return HEAD.format(kind=kind, metadata=metadata) + f"spec: {spec}\n"


def wasm(fields: str) -> str:
    return f"{{url: 'oci://r.example/p:v1', {fields}}}"


def ref(kind: str, group: str | None = None, more: str = "") -> str:
    written = "" if group is None else f"group: '{group}', "
    return wasm(f"targetRefs: [{{{written}kind: {kind}, name: g{more}}}]")


TRAFFIC = "TrafficExtension"
GATEWAY = "gateway.networking.k8s.io"
BIG = f"annotations: {{a: {'x' * 131072}, b: {'y' * 131069}}}"
"""262143 bytes with its keys."""

REFUSED_METADATA: list[Row] = [
    ("{}", "name or generateName is required"),
    ("{name: ''}", "name or generateName is required"),
    ("{name: X}", "a lowercase RFC 1123 subdomain must consist of lower case characters"),
    ("{name: x-}", "must start and end with an alphanumeric character"),
    ("{name: 5}", "cannot unmarshal number into Go struct field ObjectMeta.name of type string"),
    (f"{{name: {'x' * 254}}}", "must be no more than 253 characters"),
    ("{generateName: X-}", "a lowercase RFC 1123 subdomain must consist of lower case characters"),
    ("{generateName: 5}", "cannot unmarshal number into field generateName of type string"),
    ("{name: x, namespace: a.b}", "a lowercase RFC 1123 label must consist of lower case letters"),
    (f"{{name: x, namespace: {'n' * 64}}}", "must be no more than 63 characters"),
    ("{name: x, namespace: 7}", "cannot unmarshal number into field namespace of type string"),
    ("{name: x, clusterName: y}", "strict decoding: unknown field metadata.clusterName"),
    ("{name: x, foo: bar}", "strict decoding: unknown field metadata.foo"),
    ("{name: x, foo: null}", "strict decoding: unknown field metadata.foo"),
    ("{name: x, annotation: {a: b}}", "strict decoding: unknown field metadata.annotation"),
    ("{name: x, creationTimestamp: hello}", "parsing time hello as 2006-01-02T15:04:05Z07:00"),
    ("{name: x, creationTimestamp: 2024-01-01}", "parsing time 2024-01-01: cannot parse as T"),
    ("{name: x, creationTimestamp: 5}", "cannot unmarshal number into Go value of type string"),
    ("{name: x, creationTimestamp: '2024-13-01T00:00:00Z'}", "parsing time: month out of range"),
    ("{name: x, deletionTimestamp: soon}", "parsing time soon as 2006-01-02T15:04:05Z07:00"),
    ("{name: x, generation: '5'}", "cannot unmarshal string into field generation of type int64"),
    ("{name: x, generation: 1.5}", "cannot unmarshal number 1.5 into field of type int64"),
    ("{name: x, deletionGracePeriodSeconds: a}", "cannot unmarshal string into type int64"),
    ("{name: x, resourceVersion: 5}", "cannot unmarshal number into field of type string"),
    ("{name: x, uid: 5}", "cannot unmarshal number into field metadata.uid of type types.UID"),
    ("{name: x, selfLink: [a]}", "cannot unmarshal array into field selfLink of type string"),
    ("{name: x, labels: [a]}", "cannot unmarshal array into field labels of type map"),
    ("{name: x, labels: {a: 1}}", "cannot unmarshal number into field labels of type string"),
    ("{name: x, labels: {a: true}}", "cannot unmarshal bool into field labels of type string"),
    ("{name: x, labels: {'a b': c}}", "name part must consist of alphanumeric characters"),
    (f"{{name: x, labels: {{a: {'v' * 64}}}}}", "must be no more than 63 characters"),
    ("{name: x, annotations: {a: 1}}", "cannot unmarshal number into annotations of type string"),
    ("{name: x, annotations: {'a b': c}}", "name part must consist of alphanumeric characters"),
    (f"{{name: x, {BIG[:-1]}, c: y}}}}", "Too long: must have at most 262144 bytes"),
    (f"{{name: x, annotations: {{a: {E * 131072}}}}}", "must have at most 262144 bytes"),
    ("{name: x, finalizers: ['a b']}", "finalizer name must consist of alphanumeric characters"),
    ("{name: x, finalizers: [5]}", "cannot unmarshal number into finalizers of type string"),
    ("{name: x, finalizers: a}", "cannot unmarshal string into finalizers of type []string"),
    (
        "{name: x, finalizers: [orphan, foregroundDeletion]}",
        "finalizer orphan and foregroundDeletion cannot be both set",
    ),
    ("{name: x, ownerReferences: [{apiVersion: v1, kind: Pod, name: p}]}", "uid: Required value"),
    ("{name: x, ownerReferences: [{apiVersion: v1, kind: Pod, uid: u}]}", "name: Required value"),
    ("{name: x, ownerReferences: [{apiVersion: v1, name: p, uid: u}]}", "kind: Required value"),
    ("{name: x, ownerReferences: [{kind: Pod, name: p, uid: u}]}", "version must not be empty"),
    (
        "{name: x, ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: ''}]}",
        "uid must not be empty",
    ),
    (
        "{name: x, ownerReferences: [{apiVersion: v1, kind: Event, name: p, uid: u}]}",
        "v1 Event is disallowed from being an owner",
    ),
    (
        "{name: x, ownerReferences: [{apiVersion: v1, kind: A, name: p, uid: u, controller: true}, "
        "{apiVersion: v1, kind: B, name: q, uid: w, controller: true}]}",
        "Only one reference can have Controller set to true",
    ),
    (
        "{name: x, ownerReferences: [{apiVersion: v1, kind: A, name: p, uid: u, foo: 1}]}",
        "strict decoding: unknown field metadata.ownerReferences[0].foo",
    ),
    ("{name: x, managedFields: [{operation: Patch}]}", "operation must be Apply or Update"),
    ("{name: x, managedFields: x}", "cannot unmarshal string into field managedFields"),
]
ACCEPTED_METADATA: list[Row] = [
    ("{generateName: x-}", "a trailing dash of generateName is masked"),
    ("{generateName: x, name: ''}", "the name is made of generateName"),
    ("{name: x, namespace: ''}", "an empty namespace is that of the request"),
    ("{name: x, namespace: null}", "null is the zero value of a string"),
    ("{name: x, creationTimestamp: null}", "null is the zero time"),
    ("{name: x, creationTimestamp: '2024-01-01T00:00:00Z'}", "RFC 3339"),
    ("{name: x, creationTimestamp: 2024-01-01T00:00:00.5+01:00}", "RFC 3339, a date is text"),
    ("{name: x, generation: 5}", "int64"),
    ("{name: x, resourceVersion: '5'}", "a string"),
    ("{name: x, uid: u, selfLink: /a}", "strings"),
    ("{name: x, labels: null, annotations: null}", "null is the zero value of a map"),
    ("{name: x, labels: {a.b/c: ''}}", "an empty label value is valid"),
    ("{name: x, annotations: {A.b/C: v}}", "annotation keys are looked at in lower case"),
    (f"{{name: x, {BIG}}}", "at most 262144 bytes"),
    ("{name: x, finalizers: [a.example/b, orphan]}", "a qualified name"),
    (
        "{name: x, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: p, uid: u, "
        "controller: true, blockOwnerDeletion: false}]}",
        "a complete reference",
    ),
    (
        "{name: x, managedFields: [{manager: k, operation: Update, apiVersion: v1, "
        "time: '2024-01-01T00:00:00Z', fieldsType: FieldsV1, fieldsV1: {f:spec: {}}}]}",
        "as the API server writes it",
    ),
    ("{name: a.b}", "a name is a subdomain"),
]
REFUSED_SPEC: list[Row] = [
    ("{}", "spec.url: Required value"),
    ("{url: ''}", "should be at least 1 chars long"),
    ("{url: 'ftp://a/b'}", "url must have schema one of [http, https, file, oci]"),
    (wasm("foo: null"), "strict decoding: unknown field spec.foo"),
    (wasm("foo: 1"), "strict decoding: unknown field spec.foo"),
    (wasm("vmConfig: {envs: null}"), "strict decoding: unknown field spec.vmConfig.envs"),
    (wasm("match: [{port: null}]"), "strict decoding: unknown field spec.match[0].port"),
    (wasm(f"sha256: {'A' * 64}"), "sha256 field must match [a-f0-9]{64} pattern"),
    (wasm("sha256: abc"), "sha256 field must be 64 characters long"),
    (wasm("imagePullPolicy: Never"), "Unsupported value: Never"),
    (wasm("imagePullSecret: ''"), "should be at least 1 chars long"),
    (wasm(f"imagePullSecret: {'s' * 254}"), "may not be longer than 253"),
    (wasm(f"imagePullSecret: {E * 127}"), "imagePullSecret field must be less than 253 characters"),
    (wasm(f"pluginName: {'p' * 257}"), "may not be longer than 256"),
    (wasm(f"pluginName: {E * 129}"), "pluginName field must be less than 255 characters long"),
    (wasm(f"vmConfig: {{env: [{{name: {E * 129}}}]}}"), "env.name field must be less than 255"),
    (wasm("vmConfig: {env: [{name: ''}]}"), "spec.vmConfig.env invalid"),
    (wasm("vmConfig: {env: [{name: A}, {name: A}]}"), "duplicate env"),
    (
        wasm("vmConfig: {env: [{name: A, value: b, valueFrom: HOST}]}"),
        "value may only be set when valueFrom is INLINE",
    ),
    (wasm("vmConfig: {env: [{name: A, value: 5}]}"), "must be of type string: integer"),
    (wasm("vmConfig: {env: [{name: A, valueFrom: FILE}]}"), "Unsupported value: FILE"),
    (wasm("phase: authn"), "Unsupported value: authn"),
    (wasm("priority: 2147483648"), "should be less than or equal to 2147483647"),
    (wasm("priority: '5'"), "must be of type integer: string"),
    (wasm("failStrategy: FAIL"), "Unsupported value: FAIL"),
    (wasm("type: TCP"), "Unsupported value: TCP"),
    (wasm("pluginConfig: text"), "must be of type object: string"),
    (wasm("pluginConfig: [a]"), "must be of type object: array"),
    (wasm("match: [{mode: IN}]"), "Unsupported value: IN"),
    (wasm("match: [{ports: [{number: 0}]}]"), "should be greater than or equal to 1"),
    (wasm("match: [{ports: [{}]}]"), "spec.match[0].ports[0].number: Required value"),
    (wasm("match: [{ports: [{number: 80}, {number: 80}]}]"), "Duplicate value: number 80"),
    (wasm("selector: {matchLabels: {a: 'b*'}}"), "wildcard not allowed in label value match"),
    (wasm("selector: {matchLabels: {'*': b}}"), "wildcard not allowed in label key match"),
    (wasm("selector: {matchLabels: {'': b}}"), "key must not be empty"),
    (wasm("selector: {labels: {a: b}}"), "strict decoding: unknown field spec.selector.labels"),
    (ref("Pod", ""), "targetRef must be to one of ... but was core/Pod"),
    (ref("Gateway"), "targetRef must be to one of ... but was core/Gateway"),
    (ref("Service", "", ", namespace: o"), "cross namespace referencing is not supported"),
    (
        wasm("selector: {matchLabels: {a: b}}, targetRefs: [{group: '', kind: Service, name: g}]"),
        "only one of targetRefs or selector can be set",
    ),
    (wasm("targetRefs: [{kind: Service}]"), "spec.targetRefs[0].name: Required value"),
]
ACCEPTED_SPEC: list[Row] = [
    (SPEC, "url alone is required"),
    (wasm("phase: null, priority: null, match: null"), "nulls of known fields are pruned"),
    (wasm("sha256: ''"), "(^$|^[a-f0-9]{64}$)"),
    (wasm("pluginConfig: {1.5: a}"), "sigs.k8s.io/yaml makes text of a float key"),
    (wasm("pluginConfig: {5: a, true: b}"), "sigs.k8s.io/yaml makes text of the keys"),
    (wasm("pluginConfig: {a: null}"), "x-kubernetes-preserve-unknown-fields"),
    (wasm(f"pluginName: {E * 128}"), "256 bytes"),
    (wasm(f"imagePullSecret: {E * 126}"), "252 bytes"),
    (wasm("priority: -2147483648"), "int32"),
    (wasm("vmConfig: {env: [{name: A}]}"), "a value is optional"),
    (ref("Service"), "an absent group is that of core"),
    (ref("ServiceEntry", "networking.istio.io"), "allowedTargetRefs"),
    (ref("Gateway", GATEWAY), "allowedTargetRefs"),
    (ref("GatewayClass", GATEWAY), "allowedTargetRefs"),
]
WHOLE = [
    ("status is a string", resource() + "status: x\n", False, "status is reset before validation"),
    ("status is a list", resource() + "status: [1]\n", False, "status is reset before validation"),
    ("unknown at the top", resource() + "foo: null\n", True, "strict decoding: unknown field foo"),
    ("directive", "%YAML 1.2\n---\n" + resource(), True, "did not find expected <document start>"),
    ("no spec", HEAD.format(kind="WasmPlugin", metadata="{name: x}"), True, "spec: Required value"),
    ("no metadata", resource().replace("metadata: {name: x}\n", ""), True, "name is required"),
    ("metadata is text", resource(metadata="x"), True, "cannot unmarshal string into ObjectMeta"),
    (
        "lua over its bytes",
        resource(f"{{lua: {{inlineCode: {E * 32769}}}}}", kind=TRAFFIC),
        True,
        "1..65536 bytes",
    ),
    (
        "lua at its bytes",
        resource(f"{{lua: {{inlineCode: {E * 32768}}}}}", kind=TRAFFIC),
        False,
        "1..65536 bytes",
    ),
]
BY_RELEASE = [
    (ref("Service"), "1.22", False, "the CRD of 1.22 reads no group"),
    (ref("Service"), "1.23", True, "no such key: group"),
    (ref("Service"), "1.24", True, "no such key: group"),
    (ref("Service"), "1.25", False, "the CEL rule on kinds was removed in 1.25"),
    (ref("Service", ""), "1.24", False, "group is there"),
    (ref("Service", ""), "1.21", True, "targetRefs came in 1.22"),
    (ref("ServiceEntry", "networking.istio.io"), "1.23", True, "allowedTargetRefs of 1.23"),
    (ref("GatewayClass", GATEWAY), "1.24", True, "allowedTargetRefs of 1.24"),
    (wasm(f"pluginName: {'p' * 257}"), "1.19", False, "the CRD of 1.19 has no limit"),
    (wasm(f"pluginName: {'p' * 257}"), "1.20", True, "maxLength 256"),
    (wasm("pluginName: ''"), "1.19", False, "the CRD of 1.19 has no limit"),
    (wasm("pluginName: ''"), "1.20", True, "minLength 1"),
    (wasm(f"pluginName: {E * 129}"), "1.19", False, "the CRD of 1.19 has no limit"),
    (wasm(f"imagePullSecret: {'s' * 254}"), "1.19", False, "the CRD of 1.19 has no limit"),
    (wasm(f"imagePullSecret: {'s' * 254}"), "1.20", True, "maxLength 253"),
    (wasm(f"vmConfig: {{env: [{{name: {'n' * 257}}}]}}"), "1.19", False, "no limit"),
    (wasm(f"vmConfig: {{env: [{{name: {'n' * 257}}}]}}"), "1.20", True, "maxLength 256"),
    (wasm(f"vmConfig: {{env: [{{name: A, value: {'v' * 2049}}}]}}"), "1.19", False, "no limit"),
    (wasm(f"vmConfig: {{env: [{{name: A, value: {'v' * 2049}}}]}}"), "1.20", True, "2048"),
    (wasm("priority: 2147483648"), "1.18", False, "format int64"),
    (wasm("priority: 2147483648"), "1.19", True, "format int32"),
    (wasm("failStrategy: FAIL_OPEN"), "1.18", True, "unknown field spec.failStrategy"),
    (wasm("failStrategy: FAIL_RELOAD"), "1.26", True, "Unsupported value"),
    (wasm("failStrategy: FAIL_RELOAD"), "1.27", False, "FAIL_RELOAD came in 1.27"),
    (wasm("match: [{mode: CLIENT}]"), "1.15", True, "unknown field spec.match"),
    (wasm("vmConfig: {env: [{name: A}]}"), "1.13", True, "unknown field spec.vmConfig"),
    (wasm("type: NETWORK"), "1.19", True, "unknown field spec.type"),
]


@pytest.mark.parametrize(
    ("metadata", "sentence"), REFUSED_METADATA, ids=[r[1] for r in REFUSED_METADATA]
)
def test_metadata_is_refused(metadata: str, sentence: str) -> None:
    assert refused(resource(metadata=metadata), (1, 31)), sentence


@pytest.mark.parametrize(
    ("metadata", "sentence"), ACCEPTED_METADATA, ids=[r[1] for r in ACCEPTED_METADATA]
)
def test_metadata_is_accepted(metadata: str, sentence: str) -> None:
    assert not refused(resource(metadata=metadata), (1, 31)), sentence


@pytest.mark.parametrize(("spec", "sentence"), REFUSED_SPEC, ids=[r[1] for r in REFUSED_SPEC])
def test_spec_is_refused(spec: str, sentence: str) -> None:
    assert refused(resource(spec), (1, 31)), sentence


@pytest.mark.parametrize(("spec", "sentence"), ACCEPTED_SPEC, ids=[r[1] for r in ACCEPTED_SPEC])
def test_spec_is_accepted(spec: str, sentence: str) -> None:
    assert not refused(resource(spec), (1, 31)), sentence


@pytest.mark.parametrize(
    ("text", "wrong", "sentence"), [r[1:] for r in WHOLE], ids=[r[0] for r in WHOLE]
)
def test_whole_documents(text: str, *, wrong: bool, sentence: str) -> None:
    assert refused(text, (1, 31)) is wrong, sentence


@pytest.mark.parametrize(
    ("spec", "release", "wrong", "sentence"), BY_RELEASE, ids=[f"{r[1]} {r[3]}" for r in BY_RELEASE]
)
def test_by_release(spec: str, release: str, *, wrong: bool, sentence: str) -> None:
    assert refused(resource(spec), parse_release(release)) is wrong, sentence
