"""Patches and templates are recognised, with the command that renders them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.documents import read_or_report
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.findings import Finding

pytestmark = pytest.mark.dependencies

HEAD = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: p}\n"


def findings(directory: Path) -> tuple[Finding, ...]:
    documents, unreadable = read_or_report([str(directory)])
    report = validate_wasmplugin(
        documents, "d", Checks(targets=("istio-1.31",)),
        images=ImageScope(read=False), unreadable=unreadable,
    )  # fmt: skip
    return report.findings


PLACEHOLDERS = [
    ('url: "oci://{{ .Values.registry }}/p:v1"', "helm template CHART |"),
    ("url: oci://{{ .Values.registry }}/p:v1", "helm template CHART |"),
    ("url: {{ .Values.url }}", "helm template CHART |"),
    ("url: oci://${REGISTRY}/p:v1", "envsubst < "),
    ("url: oci://r.example/p:$TAG", "envsubst < "),
    ("url: oci://r.example/p:@TAG@", "sed 's|@TAG@|VALUE|' "),
    ("url: 'oci://r.example/p:#{Tag}#'", "sed 's|#{Tag}#|VALUE|' "),
    ('url: "oci://r.example/p:${TAG:-v1}"', "envsubst < "),
    ("url: oci://$(REGISTRY)/p:v1", "kubectl kustomize "),
    ("url: oci://<registry>/p:v1", "sed 's|<registry>|VALUE|' "),
    ("url: oci://__REGISTRY__/p:v1", "sed 's|__REGISTRY__|VALUE|' "),
    ("url: oci://r.example/p:v1\n  priority: ${PRIORITY}", "envsubst < "),
    ("url: oci://r.example/p:v1\n  sha256: '<digest>'", "sed 's|<digest>|VALUE|' "),
]


@pytest.mark.parametrize(("fields", "command"), PLACEHOLDERS)
def test_placeholders(fields: str, command: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(f"{HEAD}spec:\n  {fields}\n")
    (finding,) = findings(tmp_path)
    assert finding.code in {"WPL000", "WPL024"}
    assert f"render it first: {command}" in finding.hint
    assert finding.hint.endswith("| wasmpack validate wasmplugin -")


FREE = [
    "pluginConfig: {page: '<html>', text: '${x} {{y}} $(z) __A__'}",
    "vmConfig: {env: [{name: A, value: '${x}'}]}",
]


@pytest.mark.parametrize("field", FREE)
def test_the_plugins_own_text_is_free(field: str, tmp_path: Path) -> None:
    text = f"{HEAD}spec: {{url: 'oci://r.example/p:v1', {field}}}\n"
    (tmp_path / "p.yaml").write_text(text)
    assert {finding.code for finding in findings(tmp_path)} == {"WPL007"}


def test_a_patch_of_kustomize(tmp_path: Path) -> None:
    (tmp_path / "patch.yaml").write_text(f"{HEAD}spec: {{failStrategy: FAIL_OPEN}}\n")
    assert {f.code for f in findings(tmp_path)} == {"WPL001"}
    (tmp_path / "kustomization.yaml").write_text(
        "kind: Kustomization\npatches: [{path: patch.yaml}]\n"
    )
    (finding,) = findings(tmp_path)
    assert finding.code == "WPL024"
    assert finding.hint == f"kubectl kustomize {tmp_path} | wasmpack validate wasmplugin -"


def test_a_whole_resource_next_to_a_kustomization_is_judged(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(f"{HEAD}spec: {{url: 'oci://r.example/p:v1'}}\n")
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nresources: [p.yaml]\n")
    assert {f.code for f in findings(tmp_path)} == {"WPL007"}
