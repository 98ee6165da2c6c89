"""Keys in wrong places of a resource, and the form of what belongs to a place."""

import pytest

from wasmpack.findings import Problem
from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.mesh.places import form_at, where_it_belongs
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.schema_rules import SchemaCheck
from wasmpack.oci.canonical import JsonObject

ENTRY = "{name: NAME, value: VALUE, valueFrom: INLINE|HOST}"


@pytest.mark.parametrize(
    ("kind", "path", "key", "hint"),
    [
        ("WasmPlugin", ("spec",), "env", "did you mean spec.vmConfig.env?"),
        ("WasmPlugin", ("spec",), "mode", "did you mean spec.match[].mode?"),
        ("WasmPlugin", ("spec",), "labels", "did you mean metadata.labels?"),
        ("WasmPlugin", ("spec",), "pluginconfig", "did you mean pluginConfig?"),
        ("WasmPlugin", ("spec",), "uid", "leave it out"),
        ("WasmPlugin", ("spec",), "unheard", "leave it out"),
        ("WasmPlugin", (), "url", "indent it: it belongs under spec"),
        ("WasmPlugin", ("spec", "vmConfig", "env", 0), "key", f"items are of the form {ENTRY}"),
        ("TrafficExtension", ("spec",), "url", "did you mean spec.wasm.url?"),
        ("EnvoyExtensionPolicy", ("spec",), "hostKeys", "did you mean spec.wasm[].env.hostKeys?"),
    ],
)
def test_a_key_in_a_wrong_place(kind: str, path: FieldPath, key: str, hint: str) -> None:
    assert where_it_belongs(kind, path, key) == hint


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (("spec", "vmConfig", "env"), f"env: [{ENTRY}]"),
        (("spec", "vmConfig", "env", 0), ENTRY),
        (("spec", "match", 0, "ports"), "ports: [{number: 1}]"),
        (("spec", "pluginConfig"), "pluginConfig: {…}"),
        (("metadata", "labels", "a", "b"), "b: …"),
    ],
)
def test_the_form_of_what_belongs_to_a_place(path: FieldPath, form: str) -> None:
    assert form_at("WasmPlugin", path) == form


def problems(**spec: object) -> list[Problem]:
    value: JsonObject = {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "p"},
        "spec": {"url": "oci://r.example/p:v1", **spec},  # type: ignore[dict-item]
    }
    return list(SchemaCheck.of(Plugin.of(Document(source="f", value=value))).problems())


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ({"vmConfig": {"env": {"A": "b"}}}, f"env: [{ENTRY}]"),
        ({"vmConfig": {"env": ["A=b"]}}, ENTRY),
        ({"vmConfig": []}, f"vmConfig: {{env: [{ENTRY}]}}"),
        ({"vmConfig": {"env": [{"name": "A", "valueFrom": "host"}]}}, "did you mean HOST?"),
        ({"phase": "authn"}, "did you mean AUTHN?"),
        ({"imagePullPolicy": "always"}, "did you mean Always?"),
        (
            {"imagePullPolicy": "Never"},
            "there is no Never; IfNotPresent is the default",
        ),
        ({"priority": "1"}, "write it without quotes"),
        ({"pluginConfig": "x"}, "a mapping: the plugin gets it as JSON text"),
    ],
)
def test_a_value_of_a_wrong_form(spec: dict[str, object], hint: str) -> None:
    (found,) = problems(**spec)
    assert str(found.hint) == hint
