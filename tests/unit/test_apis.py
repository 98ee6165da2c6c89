"""Group and kind decide by whose API a resource is judged, and where its plugins are in it."""

from __future__ import annotations

import pytest

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.resource_problems import start_up_of
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.errors import WrongUsage
from wasmpack.findings import Report
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.plugin import Plugin

pytestmark = pytest.mark.dependencies

URL = f"oci://r.example/p@sha256:{'a' * 64}"


def judged(text: str, *targets: str) -> Report:
    documents = read_documents(text.encode(), "f")
    return validate_wasmplugin(
        documents, "f", Checks(targets=targets), images=ImageScope(read=False)
    )


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def higress(spec: str) -> str:
    return (
        "apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\n"
        f"metadata: {{name: p, namespace: higress-system}}\nspec: {spec}\n"
    )


GROUP = "group: gateway.networking.k8s.io"


def policy(wasm: str, refs: str = f"[{{{GROUP}, kind: Gateway, name: g}}]") -> str:
    return (
        "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\n"
        f"metadata: {{name: p}}\nspec: {{targetRefs: {refs}, wasm: [{wasm}]}}\n"
    )


ISTIO = (
    "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: p}\n"
    f"spec: {{url: '{URL}', priority: 1}}\n"
)
HIGRESS = [
    ("{url: 'oci://r.example/p:v1', defaultConfig: {a: 1}}", set()),
    ("{url: 'oci://r.example/p:v1', matchRules: [{ingress: [x], config: {b: 1}}]}", set()),
    ("{url: 'oci://r.example/p:v1', matchRules: [{domain: ['*'], configDisable: true}]}", set()),
    ("{url: 'oci://r.example/p:v1', defaultConfigDisable: true, failStrategy: FAIL_OPEN}", set()),
    ("{url: 'oci://r.example/p:v1', defaultConfig: text}", {"WPL001"}),
    ("{url: 'oci://r.example/p:v1', matchRules: [{ingress: x}]}", {"WPL001"}),
    ("{url: 'oci://r.example/p:v1', matchRules: [{host: [x]}]}", {"WPL002"}),
    ("{url: 'oci://r.example/p:v1', defaultconfig: {}}", {"WPL002"}),
    ("{url: 'oci://r.example/p:v1', targetRefs: []}", {"WPL002"}),
    ("{url: 'oci://r.example/p:v1', phase: FIRST}", {"WPL001"}),
    ("{url: 'ftp://r.example/p'}", {"WPL005"}),
]


@pytest.mark.parametrize("targets", [(), ("higress-2",)])
@pytest.mark.parametrize(("spec", "expected"), HIGRESS)
def test_higress_has_its_own_api(spec: str, expected: set[str], targets: tuple[str, ...]) -> None:
    report = judged(higress(spec), *targets)
    assert codes(report) - {"WPL007"} == expected
    assert [row.target for row in report.targets] == ["higress-2"]
    assert report.accepted is not expected or not expected


CONFIGURATIONS = [
    ("{defaultConfig: {a: 1}}", b'{"a":1}'),
    ("{defaultConfig: {a: 1}, defaultConfigDisable: true}", b""),
    ("{pluginConfig: {p: 1}, defaultConfig: {a: 1}}", b'{"p":1}'),
    (
        "{defaultConfig: {a: 1}, matchRules: [{ingress: [i], config: {b: 2}}]}",
        b'{"_rules_":[{"_match_route_":["i"],"b":2}],"a":1}',
    ),
    ("{matchRules: [{domain: [d], config: {b: 2}, configDisable: true}]}", b""),
    ("{matchRules: [{config: {b: 2}}]}", b""),
]


@pytest.mark.parametrize(("spec", "text"), CONFIGURATIONS)
def test_the_configuration_that_higress_hands_over(spec: str, text: bytes) -> None:
    (document,) = read_documents(higress(spec).encode(), "f")
    assert start_up_of(Plugin.of(document)).plugin_config == text


FOREIGN = [
    ("extension.istio.io/v1alpha1", "did you mean extensions.istio.io?"),
    ("wasm.example.com/v1", "known groups: extensions.istio.io"),
]


@pytest.mark.parametrize(("version", "hint"), FOREIGN)
def test_another_group_is_not_judged(version: str, hint: str) -> None:
    report = judged(ISTIO.replace("extensions.istio.io/v1alpha1", version), "istio-1.31")
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("WPL023", "warning")
    assert "not judged" in finding.message
    assert finding.hint.startswith(hint)


def test_each_resource_is_judged_by_those_who_read_it() -> None:
    report = judged(
        f"{ISTIO}---\n{higress('{foo: 1, url: x.example/p}')}", "istio-1.31", "higress-2"
    )
    assert {f.code: f.targets for f in report.findings}["WPL002"] == ("higress-2",)
    alone = judged(f"{ISTIO}---\n{higress('{foo: 1}')}", "istio-1.31")
    assert codes(alone) == {"WPL023"}


def test_a_target_that_reads_none_of_them() -> None:
    with pytest.raises(WrongUsage, match="read by Higress"):
        judged(higress("{}"), "istio-1.31")


IMAGE = "code: {type: Image, image: {url: 'r.example/p:v1'}}"
POLICIES = [
    (f"{{{IMAGE}}}", "1.1", set()),
    (f"{{{IMAGE}, env: {{hostKeys: [A]}}}}", "1.2", {("WPL003", "error"), ("WPL022", "warning")}),
    (f"{{{IMAGE}, env: {{hostKeys: [A]}}}}", "1.3", {("WPL022", "warning")}),
    (f"{{{IMAGE}, rootId: x}}", "1.9", {("WPL002", "error")}),
    (f"{{{IMAGE}, failOpen: 'yes'}}", "1.9", {("WPL001", "error")}),
    ("{code: {type: HTTP, image: {url: 'r.example/p:v1'}}}", "1.9", {("WPL004", "error")}),
    ("{code: {image: {url: 'r.example/p:v1'}}}", "1.9", {("WPL001", "error"), ("WPL004", "error")}),
    (f"{{{IMAGE}}}, {{{IMAGE}, name: b}}", "1.9", set()),
]


@pytest.mark.parametrize(("wasm", "release", "expected"), POLICIES)
def test_extension_policies(wasm: str, release: str, expected: set[tuple[str, str]]) -> None:
    report = judged(policy(wasm), f"envoy-gateway-{release}")
    assert {(f.code, f.severity.value) for f in report.findings} == expected


REFERENCES = [
    (f"[{{{GROUP}, kind: ListenerSet, name: l}}]", "1.8", {"WPL004"}),
    (f"[{{{GROUP}, kind: ListenerSet, name: l}}]", "1.9", set()),
    ("[{kind: Service, name: l}]", "1.9", {"WPL004"}),
    ("[{group: apps, kind: Gateway, name: l}]", "1.9", {"WPL004"}),
    ("[]", "1.9", {"WPL004"}),
]


@pytest.mark.parametrize(("refs", "release", "expected"), REFERENCES)
def test_what_a_policy_is_attached_to(refs: str, release: str, expected: set[str]) -> None:
    assert codes(judged(policy(f"{{{IMAGE}}}", refs), f"envoy-gateway-{release}")) == expected


def filter_with(code: str, more: str = "") -> str:
    return (
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: p}\n"
        "spec:\n  configPatches:\n  - applyTo: EXTENSION_CONFIG\n    patch:\n      value:\n"
        "        typed_config:\n"
        '          "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n'
        f"          config: {{root_id: r, {more}vm_config: {{code: {code}}}}}\n"
    )


def test_the_plugin_of_an_envoy_filter() -> None:
    code = "{remote: {http_uri: {uri: 'oci://r.example/p:v1'}, sha256: abc}}"
    text = 'configuration: {"@type": t/google.protobuf.StringValue, value: hello}, '
    (document,) = read_documents(filter_with(code, text).encode(), "f")
    plugin = Plugin.of(document)
    assert plugin.text("url") == "oci://r.example/p:v1"
    start_up = start_up_of(plugin)
    assert (start_up.plugin_config, start_up.root_id) == (b"hello", "r")
    assert document.where(plugin.path("url")) == "f:6 spec.configPatches[0]"


VM_TEXT = '{"@type": t/google.protobuf.StringValue, value: vm}'
WASM = "envoy.extensions.filters.{}.wasm.v3.Wasm"
PATCHES = {
    "plain": (WASM.format("http"), "{}", False),
    "network": (WASM.format("network"), "{}", True),
    "typed struct": ("udpa.type.v1.TypedStruct", f"type_url: t/{WASM.format('http')}", False),
    "network, typed struct": (
        "xds.type.v3.TypedStruct",
        f"typeUrl: t/{WASM.format('network')}",
        True,
    ),
}


@pytest.mark.parametrize("name", PATCHES)
def test_what_an_envoy_filter_gives_its_plugin(name: str) -> None:
    kind, more, network = PATCHES[name]
    vm = f"{{code: {{remote: {{http_uri: {{uri: 'https://x/y'}}}}}}, configuration: {VM_TEXT}}}"
    content = f"config: {{vm_config: {vm}, configuration: {BYTES}}}"
    value = f"{more}, value: {{{content}}}" if more != "{}" else content
    text = (
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: p}\n"
        f"spec: {{configPatches: [{{patch: {{value: {{typed_config: {{'@type': t/{kind}, {value}}}"
        "}}}]}\n"
    )
    (document,) = read_documents(text.encode(), "f")
    plugin = Plugin.of(document)
    start_up = start_up_of(plugin)
    assert plugin.text("url") == "https://x/y"
    assert start_up.network is network
    assert start_up.plugin_config == b"hi"
    assert start_up.vm_config == b"vm"
    assert start_up.vm_config_of(settable=False) == b"vm"


BYTES = '{"@type": t/google.protobuf.BytesValue, value: aGk=}'


@pytest.mark.parametrize(
    ("content", "severity"),
    [
        ("{name: envoy.filters.http.lua}", "info"),
        (
            f"{{typed_config: {{'@type': t/{WASM.format('http')}, config: {{vm_cofig: {{}}}}}}}}",
            "warning",
        ),
    ],
    ids=["of something else", "mistyped"],
)
def test_an_envoy_filter_without_a_module(content: str, severity: str) -> None:
    text = (
        "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: p}\n"
        f"spec: {{configPatches: [{{patch: {{value: {content}}}}}]}}\n"
    )
    (found,) = judged(text, "istio-1.31").findings
    assert (found.code, found.severity) == ("WPL023", severity)


def test_a_file_of_the_proxy_is_reported() -> None:
    for text in (filter_with("{local: {filename: /x.wasm}}"), ISTIO.replace(URL, "file:///x.wasm")):
        report = judged(text, "istio-1.31")
        assert codes(report) == {"WPL023"}


def test_findings_are_in_line_order_within_a_severity() -> None:
    wrong = "spec: {phase: FIRST, priority: high, bad: 1, url: 'ftp://x/y', failStrategy: NO}\n"
    text = ISTIO.partition("spec:")[0] + wrong.replace(", ", ",\n  ")
    report = judged(f"{text}---\n{text.replace('name: p', 'name: q')}", "istio-1.31")
    lines = [
        int(f.where.split()[0].rpartition(":")[2]) for f in report.findings if f.severity == "error"
    ]
    assert len(set(lines)) == 10
    assert lines == sorted(lines)


def test_what_holds_for_several_resources_is_said_once() -> None:
    tagged = ISTIO.replace(URL, "oci://r.example/p:v1")
    names = ("p", "q", "r")
    text = "---\n".join(
        tagged.replace("name: p", f"name: {name}").replace("priority: 1", f"priority: {number}")
        for number, name in enumerate(names)
    )
    report = judged(text, "istio-1.31")
    assert [finding.code for finding in report.findings] == ["WPL007"] * len(names)
    shown = str(report)
    assert shown.count("a tag can move") == 1
    assert "also: f:9 spec.url, f:14 spec.url" in shown
