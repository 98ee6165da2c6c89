"""WasmPlugin and TrafficExtension by themselves: schema, releases, rules, behaviour, order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from heapq import nsmallest
from typing import Any

import pytest

from wasmpack.actions import validate_wasmplugin
from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.resource_problems import judged_start_up
from wasmpack.actions.resource_problems import resource_problems as resource_problems_of
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem
from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.api_rules import rule_problems
from wasmpack.mesh.behaviour import plugin_configuration
from wasmpack.mesh.direction import Gateways
from wasmpack.mesh.order import order_problems
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.releases import Release, mesh_targets
from wasmpack.mesh.schema_rules import SchemaCheck
from wasmpack.oci.canonical import parse_json_object
from wasmpack.stores.session import Session
from wasmpack.targets import all_targets

pytestmark = pytest.mark.dependencies

URL = f"oci://quay.io/me/plugin@sha256:{'a' * 64}"
NEW = (1, 31)


def plugin(
    text: str, kind: str = "WasmPlugin", metadata: str = "{name: p, namespace: mesh}"
) -> Plugin:
    head = f"apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {metadata}\n"
    (document,) = read_documents(f"{head}spec: {text}".encode(), "f")
    return Plugin.of(document)


def wasm(fields: str) -> str:
    return f"{{url: '{URL}', {fields}}}"


def resource_problems(subject: Plugin, release: Release) -> list[Problem]:
    return resource_problems_of(subject, {"": release})[""]


def found(problems: list[Problem]) -> set[tuple[str, str, str]]:
    return {(p.code, p.severity.value, p.where.partition(" ")[2]) for p in problems}


def test_nothing_to_say_of_a_good_one() -> None:
    good = plugin(
        wasm(
            "selector: {matchLabels: {app: x}}, phase: AUTHN, priority: 5, failStrategy: FAIL_OPEN,"
            "type: HTTP, match: [{mode: SERVER, ports: [{number: 80}]}], pluginConfig: {a: [1, null]},"
            "pluginName: r, vmConfig: {env: [{name: A, value: b}]}"
        )
    )
    assert resource_problems(good, NEW) == []


def test_a_variable_of_the_proxy_is_not_known() -> None:
    env = "vmConfig: {env: [{name: A, value: b}, {name: C, valueFrom: HOST}]}"
    (problem,) = resource_problems(plugin(wasm(env)), NEW)
    assert problem.code == "WPL022"
    assert problem.message.startswith("C has the value that it has in the proxy")


def test_a_variable_of_the_proxy_with_a_value_to_try() -> None:
    env = "vmConfig: {env: [{name: C, valueFrom: HOST}, {name: D, valueFrom: HOST}]}"
    rows = resource_problems_of(plugin(wasm(env)), {"": NEW}, given={"C"})[""]
    assert [(p.code, p.severity.value, "--env" in str(p.hint)) for p in rows] == [
        ("WPL022", "info", False),
        ("WPL022", "warning", True),
    ]


def test_a_variable_given_here_that_the_resource_does_not_name() -> None:
    """The mesh would not give it to the plugin, so the dry run does not."""
    env = "vmConfig: {env: [{name: A, value: b}, {name: C, valueFrom: HOST}]}"
    resource = plugin(wasm(env))
    given = StartUp(env=(("A", "x"), ("C", "y"), ("D", "z")))
    assert judged_start_up(resource, given).env == (("A", "x"), ("C", "y"))
    rows = resource_problems_of(resource, {"": NEW}, given={"A", "C", "D"})[""]
    messages = [row.message for row in rows if row.severity.value == "warning"]
    assert messages == ["--env D has no effect: the mesh does not give the plugin this variable"]


def test_a_property_that_is_null_is_not_there() -> None:
    """The API server takes it out; in the plugin's own configuration it stays."""
    nulls = "phase: , vmConfig: {env: [{name: A, value: }]}, selector: , match: "
    good = plugin(wasm(nulls + ", pluginConfig: {a: null}, priority: "))
    assert resource_problems(good, NEW) == []
    assert plugin_configuration(good.fields["pluginConfig"]) == b'{"a":null}'


def test_a_number_beyond_doubles_is_refused_and_not_printed() -> None:
    value = {"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
             "metadata": {"name": "p"},
             "spec": {"url": URL, "pluginConfig": {"n": 10**400}}}  # fmt: skip
    (document,) = read_documents(json.dumps(value).encode(), "f")
    (problem,) = resource_problems(Plugin.of(document), NEW)
    assert (problem.code, problem.severity.value) == ("WPL012", "error")
    assert "0000000000" not in problem.message


SECRETS = [
    "{url: 'https://me:hunter2@example.com:x/a.wasm'}",
    "{url: 'me:hunter2@example.com/a'}",
    "{url: 'ftp://me:hunter2@example.com/a?sig=hunter2'}",
    wasm(f"vmConfig: {{env: [{{name: A, value: '{'hunter2' * 400}'}}]}}"),
    wasm("pluginConfig: hunter2"),
]


@pytest.mark.parametrize("spec", SECRETS)
def test_what_may_be_secret_is_not_printed(spec: str) -> None:
    found = resource_problems(plugin(spec), NEW)
    assert found
    assert "hunter2" not in repr(found)


ORDERS = [
    ("{name: a, namespace: n}", "type: HTTP", "{name: b, namespace: n}", "priority: null", True),
    ("{name: a, namespace: istio-system}", "", "{name: b, namespace: n}", "", True),
    ("{name: a, namespace: m}", "", "{name: a, namespace: n}", "", False),
    ("{name: a, namespace: n}", "type: NETWORK", "{name: b, namespace: n}", "", False),
]


@pytest.mark.parametrize(("one", "fields", "other", "more", "tied"), ORDERS)
def test_who_shares_a_proxy(one: str, fields: str, other: str, more: str, *, tied: bool) -> None:
    plugins = [plugin(wasm(fields), metadata=one), plugin(wasm(more), metadata=other)]
    codes = {p.code for rows in order_problems(plugins).values() for p in rows}
    assert codes == ({"WPL008"} if tied else set())


NAMES = [
    ("{name: p, annotations: {Example.com/Key: v}}", True),
    ('{name: "p\\n"}', False),
    ("{name: p, labels: {a..b/x: v}}", False),
    ("{name: p, labels: {A.b/x: v}}", False),
    ('{name: p, labels: {a: "v\\n"}}', False),
]


@pytest.mark.parametrize(("metadata", "good"), NAMES)
def test_names_and_keys(metadata: str, *, good: bool) -> None:
    assert (not resource_problems(plugin(wasm(""), metadata=metadata), NEW)) == good


GATEWAY = "group: gateway.networking.k8s.io"
SCHEMA = [
    ("{}", "WPL001", "spec"),
    ("{url: ''}", "WPL001", "spec.url"),
    ("{url: 5}", "WPL001", "spec.url"),
    ("{url: null}", "WPL001", "spec"),
    (wasm(f'sha256: "{"a" * 64}\\n"'), "WPL001", "spec.sha256"),
    (wasm("sha256: ABC"), "WPL001", "spec.sha256"),
    (wasm(f"sha256: 'sha256:{'a' * 64}'"), "WPL001", "spec.sha256"),
    (wasm("phase: authn"), "WPL001", "spec.phase"),
    (wasm("priority: 2147483648"), "WPL001", "spec.priority"),
    (wasm("priority: high"), "WPL001", "spec.priority"),
    (wasm("imagePullPolicy: Never"), "WPL001", "spec.imagePullPolicy"),
    (wasm("imagePullSecret: ''"), "WPL001", "spec.imagePullSecret"),
    (wasm(f"pluginName: {'x' * 257}"), "WPL001", "spec.pluginName"),
    (wasm("pluginConfig: text"), "WPL001", "spec.pluginConfig"),
    (wasm("failStrategy: OPEN"), "WPL001", "spec.failStrategy"),
    (wasm("type: TCP"), "WPL001", "spec.type"),
    (wasm("match: [{mode: INBOUND}]"), "WPL001", "spec.match[0].mode"),
    (wasm("match: [{ports: [{number: 65536}]}]"), "WPL001", "spec.match[0].ports[0].number"),
    (wasm("match: [{ports: [{number: 80}, {number: 80}]}]"), "WPL001", "spec.match[0].ports"),
    (wasm("vmConfig: {env: [{value: x}]}"), "WPL001", "spec.vmConfig.env[0]"),
    (
        wasm(f"vmConfig: {{env: [{{name: A, value: {'x' * 2049}}}]}}"),
        "WPL001",
        "spec.vmConfig.env[0].value",
    ),
    (wasm(f"vmConfig: {{env: [{{name: {'x' * 257}}}]}}"), "WPL001", "spec.vmConfig.env[0].name"),
    (wasm("selector: {matchLabels: {a: on}}"), "WPL001", "spec.selector.matchLabels.a"),
    (
        wasm(f"selector: {{matchLabels: {{a: {'x' * 64}}}}}"),
        "WPL001",
        "spec.selector.matchLabels.a",
    ),
    (wasm("targetRefs: [{kind: Service}]"), "WPL001", "spec.targetRefs[0]"),
    (wasm("pluginconfig: {}"), "WPL002", "spec.pluginconfig"),
    (wasm("config: {}"), "WPL002", "spec.config"),
    (wasm("match: [{port: 80}]"), "WPL002", "spec.match[0].port"),
    (wasm("selector: {app: x}"), "WPL002", "spec.selector.app"),
]
RULES = [
    (wasm("selector: {matchLabels: {'a*': b}}"), "WPL004", "spec.selector.matchLabels.a*"),
    (wasm("selector: {matchLabels: {a: 'b*'}}"), "WPL004", "spec.selector.matchLabels.a"),
    (wasm("selector: {matchLabels: {'': b}}"), "WPL004", "spec.selector.matchLabels."),
    (wasm("selector: {matchLabels: {a: b}}, targetRefs: [{kind: Service, name: s}]"), "WPL004",
     "spec.targetRefs"),
    (wasm("targetRefs: [{kind: Service, name: s, namespace: other}]"), "WPL004",
     "spec.targetRefs[0].namespace"),
    (wasm("targetRefs: [{kind: Pod, name: s}]"), "WPL004", "spec.targetRefs[0]"),
    (wasm("targetRefs: [{kind: Gateway, name: s}]"), "WPL004", "spec.targetRefs[0]"),
    (wasm("targetRef: {kind: Pod, name: s}"), "WPL004", "spec.targetRef"),
    (wasm("vmConfig: {env: [{name: A, value: b, valueFrom: HOST}]}"), "WPL004", "spec.vmConfig.env[0]"),
    (wasm("vmConfig: {env: [{name: A}, {name: A}]}"), "WPL004", "spec.vmConfig.env[1]"),
    (wasm("vmConfig: {env: [{name: A, value: '', valueFrom: HOST}]}"), "WPL004", "spec.vmConfig.env[0]"),
    ("{url: 'localhost:5000/a:v1'}", "WPL005", "spec.url"),
    ("{url: 'https:///a.wasm'}", "WPL005", "spec.url"),
    (wasm(f"sha256: {'b' * 64}"), "WPL006", "spec.sha256"),
    (f"{{url: 'oci://quay.io/a@sha512:{'a' * 128}'}}", "WPL006", "spec.url"),
]  # fmt: skip
WARNINGS = [
    (wasm("selector: {}"), "WPL014", "spec.selector"),
    ("{url: 'oci://quay.io/a:latest'}", "WPL007", "spec.url"),
    ("{url: 'oci://quay.io/a'}", "WPL007", "spec.url"),
    ("{url: 'oci://quay.io/a:v1', imagePullPolicy: Always}", "WPL007", "spec.imagePullPolicy"),
    ("{url: 'oci://myregistry/a:v1'}", "WPL005", "spec.url"),
    (wasm("phase: STATS"), "WPL009", "spec.phase"),
    (wasm("phase: STATS, failStrategy: FAIL_CLOSE"), "WPL009", "spec.failStrategy"),
    (wasm("selector: {matchLabels: {istio: ingressgateway}}, match: [{mode: SERVER}]"), "WPL011",
     "spec.match"),
    (wasm("targetRefs: [{group: '', kind: Service, name: s}], match: [{mode: CLIENT}]"), "WPL011",
     "spec.match"),
    (wasm("targetRefs: [{group: '', kind: Service, name: s}], match: [{ports: [{number: 80}]}]"),
     "WPL011", "spec.match"),
    (wasm("targetRef: {group: '', kind: Service, name: s}, match: [{mode: CLIENT}, "
          "{mode: SERVER, ports: [{number: 80}]}]"), "WPL011", "spec.match"),
    (wasm(f"targetRefs: [{{{GATEWAY}, kind: GatewayClass, name: istio}}]"), "WPL011",
     "spec.targetRefs[0].name"),
    (wasm(f"targetRefs: [{{{GATEWAY}, kind: GatewayClass, name: istio-waypoint}}]"), "WPL011",
     "spec.targetRefs[0]"),
    (wasm("pluginConfig: {a: {b: [9007199254740993]}}"), "WPL012", "spec.pluginConfig.a.b[0]"),
    ("{url: 'file:///x.wasm', sha256: " + "a" * 64 + "}", "WPL013", "spec.sha256"),
    ("{url: 'file:///x.wasm', imagePullSecret: x}", "WPL013", "spec.imagePullSecret"),
    (wasm("verificationKey: x"), "WPL013", "spec.verificationKey"),
    (wasm("vmConfig: {env: [{name: ISTIO_META_X, value: v}]}"), "WPL013", "spec.vmConfig.env[0]"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "code", "place"), [*SCHEMA, *RULES])
def test_refused(spec: str, code: str, place: str) -> None:
    assert (code, "error", place) in found(resource_problems(plugin(spec), NEW))


@pytest.mark.parametrize(("spec", "code", "place"), WARNINGS)
def test_warned(spec: str, code: str, place: str) -> None:
    problems = resource_problems(plugin(spec), NEW)
    assert (code, "warning", place) in found(problems)
    assert all(problem.severity.value != "error" for problem in problems)


def test_the_root_namespace_is_the_whole_mesh() -> None:
    everywhere = plugin(wasm("priority: 1"), metadata="{name: p, namespace: istio-system}")
    assert ("WPL014", "warning", "metadata.namespace") in found(resource_problems(everywhere, NEW))


RUNS = [
    ("targetRefs: [{group: '', kind: Service, name: s}], match: [{mode: SERVER}]", "mesh"),
    ("targetRefs: [{group: '', kind: Service, name: s}], match: [{mode: UNDEFINED}]", "mesh"),
    ("type: NETWORK, targetRefs: [{group: '', kind: Service, name: s}], "
     "match: [{ports: [{number: 80}]}]", "mesh"),
    (f"targetRefs: [{{{GATEWAY}, kind: GatewayClass, name: istio-waypoint}}], "
     "match: [{mode: SERVER}]", "istio-system"),
    (f"targetRefs: [{{{GATEWAY}, kind: GatewayClass, name: istio-waypoint}}]", "''"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "namespace"), RUNS)
def test_runs_where_it_is_attached(fields: str, namespace: str) -> None:
    subject = plugin(wasm(fields), metadata=f"{{name: p, namespace: {namespace}}}")
    assert "WPL011" not in {p.code for p in resource_problems(subject, NEW)}


A_GATEWAY = (
    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
    "metadata: {name: g, namespace: mesh}\nspec: {gatewayClassName: %s}"
)
BY_CLASS = [
    ("istio-waypoint", f"targetRefs: [{{{GATEWAY}, kind: Gateway, name: g}}], match: [{{mode: SERVER}}]", set()),
    ("istio", f"targetRefs: [{{{GATEWAY}, kind: Gateway, name: g}}], match: [{{mode: SERVER}}]", {"spec.match"}),
    ("istio-waypoint", f"targetRefs: [{{{GATEWAY}, kind: Gateway, name: g}}], match: [{{mode: CLIENT}}]", {"spec.match"}),
    ("istio-waypoint", "selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: g}}", {"spec.selector"}),
    ("istio", "selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: g}}", set()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "places"), BY_CLASS)
def test_the_class_of_a_gateway_in_the_same_files(kind: str, fields: str, places: set[str]) -> None:
    gateways = Gateways.of(read_documents((A_GATEWAY % kind).encode(), "g"))
    subject = plugin(wasm(fields))
    problems = resource_problems_of(subject, {"": NEW}, gateways)[""]
    assert {p.where.partition(" ")[2] for p in problems if p.code == "WPL011"} == places


def test_two_of_one_generated_name() -> None:
    pair = [plugin(wasm(f"priority: {n}"), metadata="{generateName: x-}") for n in (1, 2)]
    assert not [p for row in order_problems(pair).values() for p in row]


HINTS = [
    ("{url: x, pluginconfig: {}}", "did you mean pluginConfig?"),
    ("{url: x, selector: {app: web}}", "labels belong under selector.matchLabels"),
    ("{url: x, selector: {matchlabels: {a: b}}}", "did you mean matchLabels?"),
    ("{url: x, priority: '10'}", "write it without quotes"),
    ("{url: x, selector: {matchLabels: {a: on}}}", "put it in quotes"),
]


@pytest.mark.parametrize(("spec", "hint"), HINTS)
def test_advice_that_helps(spec: str, hint: str) -> None:
    assert hint in {str(p.hint) for p in resource_problems(plugin(spec), NEW)}


LIMITS = [
    ("vmConfig: {{env: [{}]}}", "{{name: v{n}}}", 256, "spec.vmConfig.env"),
    ("selector: {{matchLabels: {{{}}}}}", "l{n}: v", 4096, "spec.selector.matchLabels"),
    ("targetRefs: [{}]", "{{kind: Service, name: s{n}}}", 16, "spec.targetRefs"),
]


@pytest.mark.stress
@pytest.mark.parametrize(("field", "item", "most", "place"), LIMITS)
def test_as_many_as_the_api_takes(field: str, item: str, most: int, place: str) -> None:
    for count, refused in ((most, False), (most + 1, True)):
        items = ", ".join(item.format(n=n) for n in range(count))
        problems = resource_problems(plugin(wasm(field.format(items))), NEW)
        assert (("WPL001", "error", place) in found(problems)) is refused


def test_names_that_the_api_server_refuses() -> None:
    metadata = "{name: p, labels: {'bad key!': v}}"
    found_here = found(resource_problems(plugin(wasm("priority: 1"), metadata=metadata), NEW))
    assert ("WPL001", "error", "metadata.labels") in found_here


def test_the_namespace_of_a_pull_secret_is_ignored() -> None:
    problems = resource_problems(plugin(wasm("imagePullSecret: other/pull")), NEW)
    assert found(problems) == {("WPL010", "warning", "spec.imagePullSecret")}


def test_two_of_one_name() -> None:
    pair = [plugin(wasm(f"priority: {n}")) for n in (1, 2)]
    assert [p.code for row in order_problems(pair).values() for p in row] == ["WPL019"]


@pytest.mark.stress
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (", ".join(f"x{n}: 1" for n in range(5000)), "WPL002"),
        (f"vmConfig: {{env: [{', '.join(['1'] * 5000)}]}}", "WPL001"),
    ],
)
def test_many_faults_of_one_kind_are_a_few_findings(fields: str, code: str) -> None:
    found = list(SchemaCheck.of(plugin(wasm(fields))).problems())
    assert len(found) <= 22
    assert found[-1].code == code
    assert found[-1].message.endswith(" more findings like the 20 that are listed")


def test_did_you_mean() -> None:
    hints = {str(p.hint) for p in resource_problems(plugin(wasm("pluginconfig: {}")), NEW)}
    assert "did you mean pluginConfig?" in hints


SINCE = [
    ("failStrategy: FAIL_OPEN", "failStrategy", (1, 18), (1, 19)),
    ("failStrategy: FAIL_RELOAD", "failStrategy", (1, 26), (1, 27)),
    ("type: NETWORK", "type", (1, 19), (1, 20)),
    ("match: [{mode: CLIENT}]", "match", (1, 15), (1, 16)),
    ("vmConfig: {env: [{name: A, value: b}]}", "vmConfig", (1, 13), (1, 14)),
    ("targetRef: {kind: Service, name: s}", "targetRef", (1, 19), (1, 20)),
    ("targetRefs: [{kind: Service, name: s}]", "targetRefs", (1, 21), (1, 22)),
]


@pytest.mark.parametrize(("field", "name", "before", "since"), SINCE, ids=[s[0] for s in SINCE])
def test_fields_by_release(
    field: str, name: str, before: tuple[int, int], since: tuple[int, int]
) -> None:
    subject = plugin(wasm(field))
    assert ("WPL003", "error", f"spec.{name}") in found(resource_problems(subject, before))
    assert not [p for p in resource_problems(subject, since) if p.code == "WPL003"]


def test_a_field_that_says_what_happens_anyway_is_a_warning() -> None:
    problems = resource_problems(plugin(wasm("type: HTTP, failStrategy: FAIL_CLOSE")), (1, 16))
    assert {p.severity.value for p in problems if p.code == "WPL003"} == {"warning"}


def test_pull_fields_count_since_1_14() -> None:
    subject = plugin(wasm("imagePullSecret: s, imagePullPolicy: IfNotPresent"))
    assert found(resource_problems(subject, (1, 13))) == {
        ("WPL013", "warning", "spec.imagePullSecret"),
        ("WPL013", "warning", "spec.imagePullPolicy"),
    }
    assert resource_problems(subject, (1, 14)) == []


TRAFFIC = [
    (f"{{phase: AUTHN, wasm: {{url: '{URL}'}}}}", set()),
    ("{lua: {inlineCode: x}}", set()),
    ("{}", {("WPL004", "error", "spec")}),
    (f"{{wasm: {{url: '{URL}'}}, lua: {{inlineCode: x}}}}", {("WPL004", "error", "spec")}),
    ("{wasm: {url: 'localhost:5000/x'}}", {("WPL005", "error", "spec.wasm.url")}),
    (f"{{wasm: {{url: '{URL}', phase: AUTHN}}}}", {("WPL002", "error", "spec.wasm.phase")}),
    (f"{{phase: UNSPECIFIED_PHASE, wasm: {{url: '{URL}'}}}}", {("WPL001", "error", "spec.phase")}),
]


@pytest.mark.parametrize(("spec", "expected"), TRAFFIC, ids=[str(n) for n in range(len(TRAFFIC))])
def test_traffic_extension(spec: str, expected: set[tuple[str, str, str]]) -> None:
    assert found(resource_problems(plugin(spec, "TrafficExtension"), NEW)) == expected
    old = resource_problems(plugin(spec, "TrafficExtension"), (1, 29))
    assert ("WPL003", "error", "kind") in found(old)


ORDERS: list[tuple[str, str, str]] = [
    ("priority: 1", "priority: 1", "time of creation"),
    ("phase: AUTHN", "phase: AUTHN", "time of creation"),
    ("priority: -5", "phase: UNSPECIFIED_PHASE", "runs after -5"),
    ("priority: 1", "priority: 2", ""),
    ("priority: 1, phase: AUTHN", "priority: 1, phase: AUTHZ", ""),
    ("priority: 1, type: NETWORK", "priority: 1", ""),
    ("priority: 1, selector: {matchLabels: {a: x}}", "priority: 1, selector: {matchLabels: {a: y}}", ""),
    ("priority: 1, selector: {matchLabels: {a: x}}", "priority: 1, selector: {matchLabels: {b: y}}",
     "time of creation"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "said"), ORDERS)
def test_order(one: str, other: str, said: str) -> None:
    pair = [plugin(wasm(one), metadata="{name: a}"), plugin(wasm(other), metadata="{name: b}")]
    messages = [p.message for row in order_problems(pair).values() for p in row]
    assert bool(messages) == bool(said)
    assert all(said in message for message in messages)


CONFIGURATIONS: list[tuple[Any, str]] = [
    ({"b": 1, "a": [1.0, 2.5, True, None, "x"]}, '{"a":[1,2.5,true,null,"x"],"b":1}'),
    ({"n": 9007199254740993}, '{"n":9007199254740992}'),
    ({"n": 1e300}, None),  # type: ignore[list-item]
    ({}, ""),
    (None, ""),
]


@pytest.mark.parametrize(("value", "text"), CONFIGURATIONS)
def test_what_the_plugin_gets(value: Any, text: str | None) -> None:
    got = plugin_configuration(value)
    if text is None:
        assert json.loads(got) == value
    else:
        assert got.decode() == text


def test_targets_that_read_it() -> None:
    found_names = mesh_targets(["all"])
    expected = {t.name for t in all_targets() if t.consumer in {"istio", "ossm"}}
    assert set(found_names) == expected
    assert found_names["ossm-2.6"] == (1, 20)


@pytest.mark.stress
def test_many_plugins_of_one_phase_cost_no_square(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    def meets(*_: object) -> bool:
        asked.append(None)
        return False

    monkeypatch.setattr("wasmpack.mesh.order._Place.meets", meets)
    monkeypatch.setattr("wasmpack.mesh.order._MOST_COMPARED", 10_000)
    plugins = [plugin(wasm(""), metadata=f"{{name: p{number}}}") for number in range(600)]
    rows = order_problems(plugins).values()
    assert len(asked) <= 10_000
    (problem,) = [problem for row in rows for problem in row]
    assert (problem.severity, problem.message[:25]) == ("info", "priorities are not compar")


def test_ports_are_each_looked_at_once() -> None:
    looked: list[int] = []

    class Port(int):
        def __eq__(self, other: object) -> bool:
            looked.append(0)
            return int(self) == other

        def __hash__(self) -> int:
            return int(self)

    ports = [{"number": Port(number)} for number in range(2000)]
    value = {"kind": "WasmPlugin", "spec": {"match": [{"ports": ports}]}}
    assert not list(rule_problems(Plugin.of(Document(source="f", value=value))))
    assert len(looked) < 2 * len(ports)


@pytest.mark.parametrize(
    "value", [9007199254740993, 10**400], ids=["beyond exact", "beyond doubles"]
)
def test_many_integers_are_a_few_findings(value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each was a finding on every release, with the path to it worked out each time."""
    asked: list[None] = []
    where = Document.where

    def counted(self: Document, path: FieldPath = ()) -> str:
        asked.append(None)
        return where(self, path)

    monkeypatch.setattr(Document, "where", counted)
    config = {"a": {"b": [value] * 3000}}
    resource = {"kind": "WasmPlugin", "spec": {"url": URL, "pluginConfig": config}}
    subject = Plugin.of(Document(source="f", value=resource))
    releases = mesh_targets(["all"])
    rows = resource_problems_of(subject, releases)
    assert {len([p for p in row if p.code == "WPL012"]) for row in rows.values()} == {21}
    assert len(asked) < 50 + 10 * len(releases)


MANY = {
    "environment": {"vmConfig": {"env": [{"name": "ISTIO_META_A"}] * 3000}},
    "labels": {"selector": {"matchLabels": {f"*{number}": "x" for number in range(3000)}}},
    "targets": {"targetRefs": [{"kind": "X", "name": "x", "namespace": "y"}] * 3000},
    "ports": {"match": [{"ports": [{"number": 1}, {"number": 1}]}] * 3000},
    "unknown fields of many objects": {"vmConfig": {"env": [{"name": "A", "nmae": 1}] * 3000}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_many_of_anything_are_a_few_findings(name: str) -> None:
    resource = {"kind": "WasmPlugin", "spec": {"url": URL, **MANY[name]}}
    rows = resource_problems(Plugin.of(Document(source="f", value=resource)), NEW)
    assert 20 < len(rows) < 90
    assert any("more findings like" in problem.message for problem in rows)


def secret_text(registries: int) -> str:
    auths = {f"r{number}.io": {} for number in range(registries)}
    return json.dumps({"auths": auths})


@pytest.mark.stress
def test_a_pull_secret_is_parsed_once_for_all_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[None] = []

    def counted(raw: bytes, name: str) -> Any:
        parsed.append(None)
        return parse_json_object(raw, name)

    sorted_: list[None] = []
    monkeypatch.setattr("wasmpack.mesh.pulling.parse_json_object", counted)
    monkeypatch.setattr(
        "wasmpack.mesh.pulling.nsmallest",
        lambda number, names: sorted_.append(None) or nsmallest(number, names),
    )
    value = {
        "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "metadata": {"name": "s"},
        "stringData": {".dockerconfigjson": secret_text(5000)},
    }  # fmt: skip
    items = [
        {"kind": "WasmPlugin", "metadata": {"name": f"p{number}"},
         "spec": {"url": URL, "imagePullSecret": "s", "priority": number}}
        for number in range(30)
    ]  # fmt: skip
    documents = [Document(source="f", value=part) for part in (value, *items)]
    report = validate_wasmplugin.validate_wasmplugin(documents, "f", images=ImageScope(read=False))
    texts = [found.message for found in report.findings if found.code == "WPL010"]
    assert (len(parsed), len(sorted_)) == (1, 1)
    assert texts
    assert max(map(len, texts)) < 300
    assert "and 4995 more" in texts[0]


def test_a_plugin_is_not_compared_with_every_secret() -> None:
    walks: list[None] = []

    class Walked(list[Document]):
        def __iter__(self) -> Iterator[Document]:
            walks.append(None)
            return super().__iter__()

    value = {"kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque"}
    secret = Document(source="f", value=value)
    scope = ImageScope(read=False)
    context = validate_wasmplugin._Context(Walked([secret]), Checks(), scope, Session())
    check = validate_wasmplugin._Check({}, context)
    before = len(walks)
    for number in range(20):
        spec = {"url": URL, "imagePullSecret": f"s{number}"}
        check.problems(Plugin.of(Document(source="f", value={"kind": "WasmPlugin", "spec": spec})))
    assert len(walks) == before


def test_a_long_name_is_not_in_the_findings_of_every_other_plugin() -> None:
    """It took 2.4 GiB: 600 KB, in a finding of each of 4000 resources."""
    long = plugin(wasm(""), metadata=f"{{name: {'x' * 100_000}}}")
    others = [plugin(wasm(""), metadata=f"{{name: p{number}}}") for number in range(20)]
    rows = order_problems([long, *others]).values()
    assert sum(len(problem.message) for row in rows for problem in row) < 20 * 300
