"""Resources of any shape: judged or refused with a reason, never an internal error."""

from __future__ import annotations

import contextlib
import json
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.migrate import MigrationRequest, documents_text, migrate_extensions
from wasmpack.actions.migration_report import markdown
from wasmpack.actions.render import render_wasmplugin
from wasmpack.actions.render_source import RenderRequest
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.findings.report import report_lines
from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.kinds import Kind
from wasmpack.mesh.templates import Values

pytestmark = pytest.mark.slow

KEYS = st.sampled_from(
    ["name", "matchLabels", "number", "ports", "mode", "env", "value", "valueFrom", "kind", "group",
     "namespace", "labels", "auths", "a", ""]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.just(10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["", "*", "\n", "\x1b[31m", "AUTHN", "oci://quay.io/a:v1", "SERVER", "HOST"])
)  # fmt: skip
ODD = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["url", "sha256", "imagePullPolicy", "imagePullSecret", "pluginName", "phase", "priority",
     "failStrategy", "type", "match", "vmConfig", "pluginConfig", "selector", "targetRef",
     "targetRefs", "verificationKey", "wasm", "lua", "image", "imagePullSecrets",
     "workloadSelector", "config"]
)  # fmt: skip
SPEC = st.dictionaries(FIELDS, ODD, max_size=6)
METADATA = st.dictionaries(st.sampled_from(["name", "namespace", "labels", "annotations"]), ODD)
RESOURCE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["WasmPlugin", "TrafficExtension", "Secret", "ServiceMeshExtension", "List"]
        ),
        "apiVersion": st.sampled_from(["extensions.istio.io/v1alpha1", "maistra.io/v1"]) | ODD,
    },
    optional={
        "metadata": METADATA | ODD,
        "spec": SPEC | ODD,
        "items": st.lists(ODD) | ODD,
        "type": ODD | st.just("kubernetes.io/dockerconfigjson"),
        "data": st.dictionaries(st.just(".dockerconfigjson"), ODD | st.just("e30=")) | ODD,
        "stringData": ODD,
        "status": ODD,
    },
)
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=600, deadline=None, suppress_health_check=SLOW)
@given(st.lists(RESOURCE, min_size=1, max_size=3))
def test_judged_or_refused(values: list[dict[str, Any]]) -> None:
    documents = [Document(source="f", value=value) for value in values]
    for value in values:
        documents += read_documents(json.dumps(value).encode(), "f")
    with contextlib.suppress(WasmpackError):
        report = validate_wasmplugin(documents, "f", images=ImageScope(read=False))
        assert all("\x1b" not in line for line in report_lines(report))
        json.dumps(report.as_json())
    with contextlib.suppress(WasmpackError):
        request = MigrationRequest(documents=documents, subject="f")
        done = migrate_extensions(request)
        json.dumps(done.as_json())
        assert markdown(done)
        for text in documents_text(done.outputs):
            read_documents(text.encode(), "output")


@settings(max_examples=600, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(list(Kind)), METADATA, SPEC)
def test_rendered_or_refused(kind: Kind, metadata: dict[str, Any], fields: dict[str, Any]) -> None:
    request = RenderRequest(
        source="quay.io/a:v1", kind=kind, look=False, given=Values(metadata=metadata, fields=fields)
    )
    with contextlib.suppress(WasmpackError):
        text = render_wasmplugin(request).text("yaml")
        (document,) = read_documents(text.encode(), "output")
        assert isinstance(document.value, dict)
        assert document.value["kind"] == kind.value


MANY = """apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: p{number}}}
spec: {{url: "oci://localhost:1/app:v{tag}", pluginConfig: {{n: {setting}}}}}
"""


@pytest.mark.parametrize(
    ("tags", "configs", "images", "refused"),
    [(1001, 1, True, True), (1, 1001, True, True), (1001, 1, False, False), (1, 1, True, False)],
    ids=["images", "configurations", "without images", "the same one"],
)
def test_modules_of_one_call_are_bounded(
    tags: int, configs: int, images: bool, refused: bool
) -> None:
    text = "---\n".join(
        MANY.format(number=n, tag=n % tags, setting=n % configs) for n in range(1001)
    )
    documents = read_documents(text.encode(), "many.yaml")
    checks, scope = Checks(targets=["istio-1.28"]), ImageScope(read=images)
    expected = pytest.raises(BadArtifact, match="1001 modules") if refused else nullcontext()
    with expected:
        validate_wasmplugin(documents, "many.yaml", checks, images=scope)
