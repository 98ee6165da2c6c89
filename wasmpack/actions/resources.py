"""Which documents of some files can be judged, and why the others cannot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath

from wasmpack.actions.documents import KUSTOMIZATIONS, kustomization_of
from wasmpack.errors import BadArtifact
from wasmpack.findings import Finding, Problem, Report, Rule, Severity
from wasmpack.findings.places import place_in_file
from wasmpack.kubeyaml.documents import Document, cut
from wasmpack.mesh.apis import APIS, CARRIERS, ENVOY_FILTER, api_of
from wasmpack.mesh.plugin import KINDS, Plugin, mapping
from wasmpack.mesh.unrendered import unrendered_problems
from wasmpack.similar import did_you_mean

NOT_JUDGED = Rule(
    code="WPL023",
    title="a resource, or what its URL names, that is not judged",
    severity=Severity.WARNING,
    otherwise="info",
    cause="another API group with a kind of this name, a target that does not read it, a file of "
    "the proxy",
    consumer="none",
    example="apiVersion: extensions.example.com/v1 # of a WasmPlugin",
    fix="as the hint says",
)
_WASM_TYPE = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
_ALIKE = 0.8
"""Likeness (``difflib``) from which a group is taken for a misspelt one."""


def nothing_to_validate(items: Sequence[Document], subject: str) -> BadArtifact:
    kinds = sorted({str(mapping(item.value).get("kind") or "") for item in items} - {""})
    names = {PurePath(item.source).name for item in items}
    found = f", only {', '.join(kinds)}" if kinds else ""
    hint = ""
    if "ServiceMeshExtension" in kinds:
        hint = "wasmpack migrate servicemeshextension"
    elif "Chart.yaml" in names:
        hint = f"helm template {subject} | wasmpack validate wasmplugin -"
    elif "Kustomization" in kinds or names & {*KUSTOMIZATIONS}:
        hint = f"kubectl kustomize {subject} | wasmpack validate wasmplugin -"
    return BadArtifact(f"{subject}: no {' or '.join(CARRIERS[:2])} in it{found}", hint=hint)


def _without_plugin(resource: Document) -> Problem:
    """An EnvoyFilter that has nothing for us, or in which it was not found."""
    meant = "wasm" in str(mapping(resource.value).get("spec")).lower()
    return NOT_JUDGED.problem(
        resource.where(("spec",)),
        "no WebAssembly module found in this EnvoyFilter: nothing of it is judged",
        f"its typed_config has the @type {_WASM_TYPE}, and config.vm_config.code" if meant else "",
        severity=Severity.WARNING if meant else Severity.INFO,
    )


def sorted_out(resources: Sequence[Document]) -> tuple[list[Problem], list[Plugin]]:
    """The plugins that can be judged, and why the others cannot."""
    notes: list[Problem] = []
    plugins: list[Plugin] = []
    for resource in resources:
        unrendered = list(unrendered_problems(resource, patch_of=kustomization_of(resource.source)))
        known = api_of(mapping(resource.value)) is not None
        notes += unrendered if unrendered or known else [_foreign(resource)]
        if known and not unrendered:
            found = list(Plugin.all_of(resource))
            plugins += found
            if not any(plugin.fields for plugin in found) and found[0].kind == ENVOY_FILTER:
                notes.append(_without_plugin(resource))
    return notes, plugins


def _foreign(resource: Document) -> Problem:
    """A resource of an API that is not known here, though its kind is."""
    version = str(mapping(resource.value).get("apiVersion"))
    group = version.rpartition("/")[0]
    known = [api.group for api in APIS]
    hint = did_you_mean(group, known, f"known groups: {', '.join(known)}", _ALIKE)
    message = f"{cut(group)} is not a known API: this resource is not judged"
    return NOT_JUDGED.problem(resource.where(("apiVersion",)), message, hint)


def resources(document: Document) -> Iterator[Document]:
    """The items of a list; one that says that it is a plugin itself is validated as that too."""
    value = mapping(document.value)
    if isinstance(value.get("items"), list) and value.get("kind") in KINDS:
        yield document
    yield from document.items()


def in_line_order(report: Report, sources: Sequence[str]) -> Report:
    """Findings by severity, and within one by file and line."""
    severities = list(Severity)
    files = {source: number for number, source in enumerate(dict.fromkeys(sources))}

    def place(finding: Finding) -> tuple[int, int, int]:
        found = place_in_file(finding.where)
        if found is None or found.file not in files:
            return severities.index(finding.severity), len(files), 0
        return severities.index(finding.severity), files[found.file], found.line

    return replace(report, findings=tuple(sorted(report.findings, key=place)))
