"""ServiceMeshExtension → WasmPlugin: a table of every field, version, caveat and bad input."""

from __future__ import annotations

from typing import Any

import pytest

from wasmpack.actions.resource_problems import resource_problems
from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.kubeyaml.writer import to_yaml
from wasmpack.mesh.migration.convert import Migrated, migrate_extension, sharing_problems
from wasmpack.mesh.migration.extension import MigrationOptions, NewImage
from wasmpack.mesh.migration.extension_manifest import ExtensionManifest, read_extension_manifest
from wasmpack.mesh.plugin import Plugin

pytestmark = pytest.mark.dependencies

IMAGE = "quay.io/maistra-dev/header-append-filter:2.2"
BASE = f"image: '{IMAGE}', phase: PreAuthN"


def migrated(
    spec: str, *, version: str = "maistra.io/v1", metadata: str = "{name: p, namespace: n}",
    image: NewImage | None = None, **options: Any,
) -> Migrated:  # fmt: skip
    text = (
        f"apiVersion: {version}\nkind: ServiceMeshExtension\nmetadata: {metadata}\nspec: {spec}\n"
    )
    (document,) = read_documents(text.encode(), "f")
    return migrate_extension(document, MigrationOptions(**options), image)


def spec_of(done: Migrated) -> dict[str, Any]:
    assert done.document is not None, done.problems
    assert isinstance(done.document.value, dict)
    spec = done.document.value["spec"]
    assert isinstance(spec, dict)
    return spec


def told(done: Migrated, severity: str) -> set[tuple[str, str]]:
    return {(p.code, p.where.partition(" ")[2]) for p in done.problems if p.severity == severity}


CARRIED: list[tuple[str, dict[str, Any]]] = [
    ("", {"url": f"oci://{IMAGE}", "phase": "AUTHN", "priority": 0, "pluginName": "p_root"}),
    ("priority: 100", {"priority": 100}),
    ("priority: -3", {"priority": -3}),
    ("priority: 0", {"priority": 0}),
    ("priority: 2147483647", {"priority": 2147483647}),
    ("priority: ~", {"priority": 0}),
    ("workloadSelector: {labels: {app: httpbin}}", {"selector": {"matchLabels": {"app": "httpbin"}}}),
    ("workloadSelector: {labels: {}}", {"selector": None}),
    ("workloadSelector: {}", {"selector": None}),
    ("workloadSelector: ~", {"selector": None}),
    ("config: {b: 1, a: {c: [x, 2.5, null]}}", {"pluginConfig": {"b": 1, "a": {"c": ["x", 2.5, None]}}}),
    ("config: ~", {"pluginConfig": None}),
    ("config: {}", {"pluginConfig": None}),
    ("config: ''", {"pluginConfig": None}),
    ("config: '{\"b\": 1, \"a\": 2}'", {"pluginConfig": {"b": 1, "a": 2}}),
    ("config: {raw_v1alpha1_config: '{\"a\": 1}'}", {"pluginConfig": {"a": 1}}),
    ("config: {raw_v1alpha1_config: x, other: y1}",
     {"pluginConfig": {"raw_v1alpha1_config": "x", "other": "y1"}}),
    ("imagePullPolicy: Always", {"imagePullPolicy": "Always"}),
    ("imagePullPolicy: IfNotPresent", {"imagePullPolicy": "IfNotPresent"}),
    ("imagePullPolicy: Never", {"imagePullPolicy": "IfNotPresent"}),
    ("imagePullPolicy: ''", {"imagePullPolicy": None}),
    ("imagePullSecrets: [{name: a}]", {"imagePullSecret": "a"}),
    ("imagePullSecrets: [{name: a}, {name: b}]", {"imagePullSecret": "a"}),
    ("imagePullSecrets: []", {"imagePullSecret": None}),
]  # fmt: skip
PHASES = [
    ("PreAuthN", "AUTHN"), ("PostAuthN", "AUTHZ"), ("PreAuthZ", "AUTHZ"), ("PostAuthZ", "STATS"),
    ("PreStats", "STATS"), ("PostStats", None),
]  # fmt: skip
REFUSED = [
    ("{}", "SME001", "spec.image"),
    ("{phase: PreAuthN}", "SME001", "spec.image"),
    ("{image: 5, phase: PreAuthN}", "SME001", "spec.image"),
    ("{image: 'docker://quay.io/a:v1', phase: PreAuthN}", "SME001", "spec.image"),
    ("{image: 'quay.io/Upper:v1', phase: PreAuthN}", "SME001", "spec.image"),
    ("{image: 'plugin:v1', phase: PreAuthN}", "SME001", "spec.image"),
    (f"{{image: '{IMAGE}'}}", "SME003", "spec.phase"),
    (f"{{image: '{IMAGE}', phase: ''}}", "SME003", "spec.phase"),
    (f"{{image: '{IMAGE}', phase: preauthn}}", "SME004", "spec.phase"),
    (f"{{image: '{IMAGE}', phase: AUTHN}}", "SME004", "spec.phase"),
    (f"{{image: '{IMAGE}', phase: 5}}", "SME001", "spec.phase"),
    (f"{{{BASE}, priority: high}}", "SME001", "spec.priority"),
    (f"{{{BASE}, priority: 1.5}}", "SME001", "spec.priority"),
    (f"{{{BASE}, priority: true}}", "SME001", "spec.priority"),
    (f"{{{BASE}, workloadSelector: x}}", "SME001", "spec.workloadSelector"),
    (f"{{{BASE}, workloadSelector: {{labels: [a]}}}}", "SME001", "spec.workloadSelector.labels"),
    (f"{{{BASE}, config: text}}", "SME007", "spec.config"),
    (f"{{{BASE}, config: '[1, 2]'}}", "SME007", "spec.config"),
    (f"{{{BASE}, config: '{{\"a\": 1, \"a\": 2}}'}}", "SME007", "spec.config"),
    (f"{{{BASE}, config: {{raw_v1alpha1_config: text}}}}", "SME007",
     "spec.config.raw_v1alpha1_config"),
    (f"{{{BASE}, config: 5}}", "SME001", "spec.config"),
    (f"{{{BASE}, config: [1]}}", "SME001", "spec.config"),
    (f"{{{BASE}, imagePullPolicy: Sometimes}}", "SME001", "spec.imagePullPolicy"),
    (f"{{{BASE}, imagePullSecrets: a}}", "SME001", "spec.imagePullSecrets"),
    (f"{{{BASE}, imagePullSecrets: [a]}}", "SME001", "spec.imagePullSecrets"),
    (f"{{{BASE}, imagePullSecrets: [{{}}]}}", "SME001", "spec.imagePullSecrets"),
    ("text", "SME001", "spec"),
]  # fmt: skip
WARNED = [
    (f"{{image: '{IMAGE}', phase: PostStats}}", "warning", "SME005", "spec.phase"),
    (f"{{{BASE}, config: {{}}}}", "warning", "SME008", "spec.config"),
    (f"{{{BASE}, config: '{{}}'}}", "warning", "SME008", "spec.config"),
    (f"{{{BASE}}}", "info", "SME008", "spec.config"),
    (f"{{{BASE}, config: '{{\"a\": 1}}'}}", "info", "SME008", "spec.config"),
    (f"{{{BASE}, imagePullPolicy: Never}}", "warning", "SME009", "spec.imagePullPolicy"),
    (f"{{{BASE}, imagePullPolicy: Always}}", "info", "SME009", "spec.imagePullPolicy"),
    (f"{{{BASE}, imagePullSecrets: [{{name: a}}, {{name: b}}]}}", "warning", "SME010",
     "spec.imagePullSecrets[1]"),
    (f"{{{BASE}, imagePullSecrets: [{{name: a}}]}}", "info", "SME010", "spec.imagePullSecrets"),
    (f"{{{BASE}}}", "warning", "SME010", "spec.imagePullSecrets"),
    (f"{{{BASE}}}", "warning", "SME011", "spec"),
    (f"{{{BASE}, workloadSelector: {{labels: {{app: x}}}}}}", "warning", "SME011",
     "spec.workloadSelector"),
    (f"{{{BASE}, replicas: 3}}", "warning", "SME012", "spec.replicas"),
    (f"{{{BASE}, workloadSelector: {{labels: {{a: b}}, matchExpressions: []}}}}", "warning", "SME012",
     "spec.workloadSelector.matchExpressions"),
    (f"{{{BASE}}}", "warning", "SME013", "spec.image"),
    ("{image: quay.io/a/b, phase: PreAuthN}", "warning", "SME013", "spec.image"),
    (f"{{{BASE}}}", "warning", "SME014", "spec.priority"),
    ("{image: 'myregistry/a:v1', phase: PreAuthN}", "warning", "SME001", "spec.image"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "expected"), CARRIED, ids=[row[0] or "least" for row in CARRIED])
@pytest.mark.parametrize(
    "version", ["maistra.io/v1", "maistra.io/v1alpha1", "extensions.maistra.io/v1alpha1"]
)
def test_carried_over(more: str, expected: dict[str, Any], version: str) -> None:
    spec = spec_of(migrated(f"{{{BASE}{', ' if more else ''}{more}}}", version=version))
    for name, value in expected.items():
        assert spec.get(name) == value


@pytest.mark.parametrize(("old", "new"), PHASES)
def test_phases(old: str, new: str | None) -> None:
    done = migrated(f"{{image: '{IMAGE}', phase: {old}}}")
    assert spec_of(done).get("phase") == new
    assert done.document is not None
    assert (f"# was {old}" in to_yaml(done.document.value, done.document.comments)) is bool(new)


@pytest.mark.parametrize(("spec", "code", "place"), REFUSED)
def test_refused(spec: str, code: str, place: str) -> None:
    done = migrated(spec)
    assert done.document is None
    assert (code, place) in told(done, "error")


@pytest.mark.parametrize(("spec", "severity", "code", "place"), WARNED)
def test_what_changes_its_meaning_is_told(spec: str, severity: str, code: str, place: str) -> None:
    done = migrated(spec)
    assert done.document is not None
    assert (code, place) in told(done, severity)


def test_key_order_of_a_configuration_is_kept() -> None:
    spec = spec_of(migrated(f"{{{BASE}, config: {{z: 1, a: 2, m: 3}}}}"))
    assert list(spec["pluginConfig"]) == ["z", "a", "m"]


METADATA = [
    ("{name: p, labels: {a: b}, annotations: {c: d}}",
     {"name": "p", "labels": {"a": "b"}, "annotations": {"c": "d"}}, set()),
    ("{name: p, uid: u, resourceVersion: '5', generation: 2, creationTimestamp: t, managedFields: []}",
     {"name": "p"}, set()),
    ("{name: p, annotations: {kubectl.kubernetes.io/last-applied-configuration: x}}",
     {"name": "p"}, set()),
    ("{name: p, annotations: {kubectl.kubernetes.io/last-applied-configuration: x, a: b}}",
     {"name": "p", "annotations": {"a": "b"}}, set()),
    ("{name: p, ownerReferences: [], finalizers: [x]}", {"name": "p"},
     {("SME012", "metadata.ownerReferences"), ("SME012", "metadata.finalizers")}),
]  # fmt: skip


@pytest.mark.parametrize(("metadata", "expected", "warned"), METADATA)
def test_metadata(metadata: str, expected: object, warned: set[tuple[str, str]]) -> None:
    done = migrated(f"{{{BASE}}}", metadata=metadata)
    assert done.document is not None
    assert isinstance(done.document.value, dict)
    assert done.document.value["metadata"] == expected
    assert warned == {row for row in told(done, "warning") if row[0] == "SME012"}


@pytest.mark.parametrize(
    ("metadata", "place"), [("{}", "metadata.name"), ("{generateName: p-}", "metadata.name")]
)
def test_no_name(metadata: str, place: str) -> None:
    assert ("SME001", place) in told(migrated(f"{{{BASE}}}", metadata=metadata), "error")


def test_unknown_version() -> None:
    done = migrated(f"{{{BASE}}}", version="maistra.io/v2")
    assert told(done, "error") == {("SME002", "apiVersion")}


def test_status_is_left_out() -> None:
    text = f"kind: ServiceMeshExtension\napiVersion: maistra.io/v1\nmetadata: {{name: p}}\n" \
           f"spec: {{{BASE}}}\nstatus: {{phase: PreAuthN}}\nextra: 1\n"  # fmt: skip
    (document,) = read_documents(text.encode(), "f")
    done = migrate_extension(document, MigrationOptions())
    assert done.document is not None
    assert isinstance(done.document.value, dict)
    assert set(done.document.value) == {"apiVersion", "kind", "metadata", "spec"}
    assert ("SME012", "extra") in told(done, "warning")


def test_options() -> None:
    labels = "workloadSelector: {labels: {app: x}}"
    assert "pluginName" not in spec_of(migrated(f"{{{BASE}}}", root_id=False))
    inbound = migrated(f"{{{BASE}, {labels}}}", inbound_only=True)
    assert spec_of(inbound)["match"] == [{"mode": "SERVER"}]
    assert ("SME011", "spec.workloadSelector") not in told(inbound, "warning")
    everywhere = migrated(f"{{{BASE}}}", inbound_only=True)
    assert ("SME011", "spec") in told(everywhere, "warning")
    named = migrated(f"{{{BASE}}}", metadata="{name: p}", namespace="m")
    assert named.document is not None
    assert named.document.value["metadata"] == {"name": "p", "namespace": "m"}  # type: ignore[index,call-overload]


def test_a_gateway_never_gets_inbound_only() -> None:
    spec = f"{{{BASE}, workloadSelector: {{labels: {{istio: ingressgateway}}}}}}"
    done = migrated(spec, inbound_only=True)
    assert "match" not in spec_of(done)
    assert ("SME011", "spec.workloadSelector") in told(done, "warning")
    assert "SME011" not in {code for code, _ in told(migrated(spec), "warning")}


def test_a_root_id_that_is_too_long() -> None:
    done = migrated(f"{{{BASE}}}", metadata=f"{{name: {'x' * 252}}}")
    assert ("SME001", "metadata.name") in told(done, "error")
    assert migrated(f"{{{BASE}}}", metadata=f"{{name: {'x' * 252}}}", root_id=False).document


MANIFEST = ExtensionManifest(module="x.wasm", phase="PreStats", priority=7)
NEW = NewImage(url="oci://r.example/p:1", manifest=MANIFEST)


def test_what_the_image_supplies() -> None:
    done = migrated(f"{{image: '{IMAGE}'}}", image=NEW)
    spec = spec_of(done)
    assert (spec["url"], spec["phase"], spec["priority"]) == ("oci://r.example/p:1", "STATS", 7)
    assert {("SME014", "spec.phase"), ("SME014", "spec.priority")} <= told(done, "info")
    assert not {code for code, _ in told(done, "warning")} & {"SME013", "SME014"}


def test_the_resource_is_stronger_than_the_image() -> None:
    spec = spec_of(migrated(f"{{{BASE}, priority: 3}}", image=NEW))
    assert (spec["phase"], spec["priority"]) == ("AUTHN", 3)


def test_a_pinned_image() -> None:
    image = NewImage(url=f"oci://r.example/p:1@sha256:{'a' * 64}", sha256="a" * 64)
    assert spec_of(migrated(f"{{{BASE}}}", image=image))["sha256"] == "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("module: /plugin.wasm", ExtensionManifest(module="plugin.wasm")),
        ("schemaVersion: 1\nname: a\ndescription: b\nversion: 1.0.0\nphase: PreAuthZ\npriority: 5\n"
         "module: ./x/y.wasm",
         ExtensionManifest(module="x/y.wasm", name="a", description="b", version="1.0.0",
                           phase="PreAuthZ", priority=5)),
        ("version: 1.10\nname: 007\ndescription: 1.50\nphase: yes\nmodule: 5",
         ExtensionManifest(module="5", name="007", version="1.10", description="1.50", phase="yes")),
        ("version: ~\nname: null\ndescription:\npriority: null\nmodule: 'a'",
         ExtensionManifest(module="a")),
        ("version: 2021-01-01\nname: 'null'\npriority: -7\nmodule: 0x10",
         ExtensionManifest(module="0x10", name="null", version="2021-01-01", priority=-7)),
        ("priority: 0x10\nmodule: a", ExtensionManifest(module="a", priority=16)),
        ("priority: 1.9\nmodule: a", ExtensionManifest(module="a", priority=1)),
        ("priority: !!int '5'\nversion: !!str 1.10\nmodule: a",
         ExtensionManifest(module="a", priority=5, version="1.10")),
        ('{"version": "1.10", "name": 1.10, "priority": 5, "module": "a"}',
         ExtensionManifest(module="a", name="1.10", priority=5, version="1.10")),
    ],
)  # fmt: skip
def test_manifest_of_the_image(text: str, expected: ExtensionManifest) -> None:
    found = read_extension_manifest(text.encode())
    assert found == expected
    kept = ExtensionManifest.from_annotations(found.annotations)
    assert (kept.name, kept.phase, kept.priority) == (found.name, found.phase, found.priority)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('priority: "100"\nmodule: a', "cannot unmarshal '100' into int"),
        ("priority: high\nmodule: a", "cannot unmarshal 'high' into int"),
        ("priority: true\nmodule: a", "cannot unmarshal 'true' into int"),
        ("priority: [1]\nmodule: a", "into int"),
        ("priority: 9223372036854775808\nmodule: a", "into int"),
        ("name: [x]\nmodule: a", "manifest.yaml:1 name: the old mesh cannot unmarshal ['x']"),
        ("version: {a: b}\nmodule: a", "into string"),
        ("module: [a]", "into string"),
        ("name: a", "names no module"),
        ("[]", "expected a mapping"),
    ],
)
def test_a_manifest_that_the_old_mesh_refuses(text: str, said: str) -> None:
    with pytest.raises(BadArtifact) as caught:
        read_extension_manifest(text.encode())
    assert said in caught.value.message


ORDERS = [
    ("PostAuthN", "1", "PreAuthZ", "1", True),
    ("PostAuthN", "1", "PreAuthZ", "5", True),
    ("PostAuthN", "6", "PreAuthZ", "5", False),
    ("PostAuthZ", "1", "PreStats", "1", True),
    ("PreAuthN", "1", "PostAuthN", "9", False),
    ("PreAuthZ", "1", "PreAuthZ", "9", False),
    ("PostStats", "1", "PreAuthN", "9", False),
]


@pytest.mark.parametrize(("first", "high", "second", "low", "told_of"), ORDERS)
def test_plugins_that_come_to_share_a_phase(
    first: str, high: str, second: str, low: str, told_of: bool
) -> None:
    pair = [
        migrated(f"{{image: '{IMAGE}', phase: {phase}, priority: {priority}}}",
                 metadata=f"{{name: {name}, namespace: n}}")
        for name, phase, priority in (("one", first, high), ("two", second, low))
    ]  # fmt: skip
    found = list(sharing_problems(pair))
    assert bool(found) is told_of
    assert all(number == 1 and "one" in str(problem.hint) for number, problem in found)


@pytest.mark.slow
def test_plugins_that_share_a_phase_are_a_few_findings_each() -> None:
    """Each pair was one: a quarter of the square."""
    many = [
        migrated(f"{{image: '{IMAGE}', phase: {phase}, priority: 1}}",
                 metadata=f"{{name: p{number}, namespace: n}}")
        for number, phase in enumerate(["PreStats", "PostAuthZ"] * 60)
    ]  # fmt: skip
    found = list(sharing_problems(many))
    assert len(found) == 60 * 21
    assert found[20][1].message == "40 more findings like the 20 that are listed"


@pytest.mark.stress
def test_many_unknown_fields_are_a_few_findings() -> None:
    fields = ", ".join(f"x{number}: 1" for number in range(500))
    done = migrated(f"{{image: '{IMAGE}', phase: PreStats, {fields}}}")
    assert len([p for p in done.problems if p.code == "SME012"]) == 21


def test_other_namespaces_share_nothing() -> None:
    pair = [
        migrated(
            f"{{image: '{IMAGE}', phase: {phase}}}", metadata=f"{{name: a, namespace: {space}}}"
        )
        for phase, space in (("PostAuthN", "x"), ("PreAuthZ", "z"))
    ]
    assert not list(sharing_problems(pair))


PUBLISHED = """\
apiVersion: maistra.io/v1
kind: ServiceMeshExtension
metadata:
  name: header-append
  namespace: istio-system
spec:
  workloadSelector:
    labels:
      app: httpbin
  config:
    first-header: some-value
    another-header: another-value
  image: quay.io/maistra-dev/header-append-filter:2.2
  phase: PostAuthZ
  priority: 100
"""
PUBLISHED_AFTER = {
    "apiVersion": "extensions.istio.io/v1alpha1",
    "kind": "WasmPlugin",
    "metadata": {"name": "header-append", "namespace": "istio-system"},
    "spec": {
        "selector": {"matchLabels": {"app": "httpbin"}},
        "url": "oci://quay.io/maistra-dev/header-append-filter:2.2",
        "phase": "STATS",
        "pluginConfig": {"first-header": "some-value", "another-header": "another-value"},
    },
}
"""The example of the OpenShift documentation, before and after."""


def test_the_published_example() -> None:
    (document,) = read_documents(PUBLISHED.encode(), "f")
    exact = migrate_extension(document, MigrationOptions(as_published=True)).document
    assert exact is not None
    assert exact.value == PUBLISHED_AFTER
    assert "#" not in to_yaml(exact.value, exact.comments)
    full = migrate_extension(document, MigrationOptions()).document
    assert full is not None
    assert isinstance(full.value, dict)
    more = {"priority": 100, "pluginName": "header-append_root"}
    assert full.value["spec"] == {**PUBLISHED_AFTER["spec"], **more}  # type: ignore[dict-item]
    assert {p.code for p in resource_problems(Plugin.of(full), {"": (1, 31)})[""]} <= {
        "WPL007",
        "WPL009",
    }


def test_the_table_is_long_enough() -> None:
    rows = [*CARRIED, *PHASES, *REFUSED, *WARNED, *METADATA, *ORDERS]
    assert len(rows) >= 60


def test_comments_move_with_their_fields() -> None:
    text = PUBLISHED.replace("config:", "config:  # ours").replace(
        "      app", "      # which\n      app"
    )
    (document,) = read_documents(("# top\n" + text).encode(), "f")
    done = migrate_extension(document, MigrationOptions()).document
    assert done is not None
    lines = to_yaml(done.value, done.comments).splitlines()
    assert lines[:2] == ["# top", "apiVersion: extensions.istio.io/v1alpha1"]
    assert "  pluginConfig:  # ours" in lines
    assert lines[lines.index("      app: httpbin") - 1] == "      # which"
