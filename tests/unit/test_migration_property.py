"""Nothing is lost silently: generated resources, every leaf of them accounted for.

A leaf is in the output, at the place that the published mapping gives it; or a finding names it or
what holds it; or it stands in ``data/dropped_on_purpose.txt``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from wasmpack.actions.migrate import Migration, MigrationRequest, migrate_extensions
from wasmpack.kubeyaml.documents import FieldPath, path_text
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.kubeyaml.writer import to_yaml
from wasmpack.mesh.api_rules import rule_problems
from wasmpack.mesh.migration.extension import MigrationOptions
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.schema_rules import SchemaCheck
from wasmpack.stores.registry.options import RegistryOptions

pytestmark = pytest.mark.slow

LIST = (Path(__file__).parent / "data" / "dropped_on_purpose.txt").read_text().splitlines()
DROPPED = [line.split()[0] for line in LIST if line and not line.startswith("#")]
PLACES = {
    "spec.image": "spec.url",
    "spec.workloadSelector.labels": "spec.selector.matchLabels",
    "spec.imagePullSecrets[0].name": "spec.imagePullSecret",
    "spec.config": "spec.pluginConfig",
}
NEW_PHASES = {
    "PreAuthN": "AUTHN", "PostAuthN": "AUTHZ", "PreAuthZ": "AUTHZ", "PostAuthZ": "STATS",
    "PreStats": "STATS",
}  # fmt: skip


def often(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda n: bad if n == 19 else good)


WORD = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
ANYTHING = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "*", "y"])
SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
CONFIG = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
IMAGE = st.sampled_from(
    ["quay.io/a/b:v1", "quay.io/a/b", f"quay.io/a/b@sha256:{'a' * 64}", "localhost:5000/a:v1",
     "docker://x", "Upper/x", "plugin:v1", "a b", ""]
)  # fmt: skip
LABELS = st.dictionaries(
    often(st.sampled_from(["app", "istio", "version"]), st.sampled_from(["a*", ""])),
    often(st.sampled_from(["x", "ingressgateway"]), st.just("*") | st.just("x" * 64) | ANYTHING),
    max_size=3,
)


SPEC = st.fixed_dictionaries(
    {
        "image": often(st.just("quay.io/a/b:v1"), IMAGE),
        "phase": often(st.sampled_from(["PostStats", *NEW_PHASES]), ANYTHING),
    },
    optional={
        "priority": often(st.integers(-(1 << 31), (1 << 31) - 1), ANYTHING | st.integers()),
        "workloadSelector": often(
            st.fixed_dictionaries({}, optional={"labels": LABELS, "extra": ANYTHING}), ANYTHING
        ),
        "config": often(st.dictionaries(WORD, CONFIG, max_size=3), CONFIG | st.just('{"a": [1]}')),
        "imagePullPolicy": often(st.sampled_from(["Always", "IfNotPresent", "Never"]), ANYTHING),
        "imagePullSecrets": often(
            st.lists(st.fixed_dictionaries({"name": WORD}), max_size=3),
            ANYTHING | st.lists(ANYTHING | st.dictionaries(WORD, ANYTHING), max_size=2),
        ),
        "unknown": ANYTHING,
    },
)
METADATA = st.fixed_dictionaries(
    {"name": often(WORD, st.sampled_from(["Upper", "", "x" * 254, "a_b"]) | ANYTHING)},
    optional={
        "namespace": often(WORD, ANYTHING),
        "labels": often(st.dictionaries(WORD, WORD, max_size=2), ANYTHING),
        "annotations": st.dictionaries(
            WORD | st.just("kubectl.kubernetes.io/last-applied-configuration"), WORD, max_size=2
        ),
        "uid": WORD,
        "managedFields": st.lists(st.dictionaries(WORD, ANYTHING, max_size=2), max_size=2),
        "ownerReferences": st.lists(st.dictionaries(WORD, WORD, max_size=2), max_size=2),
        "odd": ANYTHING,
    },
)
EXTENSION = st.fixed_dictionaries(
    {
        "apiVersion": often(
            st.sampled_from(["maistra.io/v1", "maistra.io/v1alpha1"]), st.just("maistra.io/v9")
        ),
        "kind": st.just("ServiceMeshExtension"),
        "metadata": METADATA,
        "spec": often(SPEC, ANYTHING),
    },
    optional={"status": st.dictionaries(WORD, ANYTHING, max_size=2), "other": ANYTHING},
)


def leaves(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Scalars and empty containers, with their places."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    inside = [row for key, item in inner for row in leaves(item, (*path, key))]
    yield from inside or [(path, value)]


def below(text: str, top: str) -> bool:
    return text == top or text.startswith((f"{top}.", f"{top}["))


def carried(text: str, value: Any, output: dict[str, Any]) -> bool:
    """Whether the leaf stands in the output, where the mapping says."""
    if text == "spec.phase":
        return value in NEW_PHASES and output.get("spec.phase") == NEW_PHASES[value]
    if text == "spec.image":
        value = f"oci://{value}"
    for old, new in PLACES.items():
        if below(text, old):
            text = new + text.removeprefix(old)
            break
    found = output.get(text, "missing")
    return type(found) is type(value) and found == value


def run(value: dict[str, Any], **options: Any) -> Migration:
    documents = read_documents(to_yaml(value).encode(), "f")
    request = MigrationRequest(
        documents=documents, subject="f", options=MigrationOptions(**options)
    )
    return migrate_extensions(request, RegistryOptions(), advance=lambda _: None)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXTENSION, st.booleans(), st.booleans())
def test_every_leaf_is_accounted_for(
    value: dict[str, Any], inbound_only: bool, as_published: bool
) -> None:
    (row,) = run(value, inbound_only=inbound_only, as_published=as_published).rows
    findings = [finding.where.partition(" ")[2] for finding in row.report.findings]
    document = row.migrated.document
    if document is None:
        event("refused")
        errors = [f for f in row.report.findings if f.severity == "error"]
        assert errors
        assert all(finding.message for finding in errors)
        return
    event("migrated")
    plugin = Plugin.of(document)
    assert not [p for p in SchemaCheck.of(plugin).problems() if p.severity == "error"]
    assert not [p for p in rule_problems(plugin) if p.severity == "error"]
    output = {path_text(path): leaf for path, leaf in leaves(document.value)}
    for path, leaf in leaves(value):
        text = path_text(path)
        if leaf in ({}, []) or (leaf is None and text.startswith("spec.")):
            continue  # says nothing, and nothing stands for it
        if (text, leaf) == ("spec.imagePullPolicy", ""):
            continue
        named = any(place and below(text, place) for place in findings)
        dropped = any(below(text, name) for name in DROPPED)
        assert carried(text, leaf, output) or named or dropped, (text, leaf)


def test_the_property_can_fail() -> None:
    assert not carried("spec.config.a", 1, {"spec.pluginConfig.a": 2})
    assert not carried("spec.config.a", 1, {"spec.pluginConfig.a": True})
    assert carried("spec.config.a", 1, {"spec.pluginConfig.a": 1})
    assert not carried("spec.phase", "PostStats", {})
