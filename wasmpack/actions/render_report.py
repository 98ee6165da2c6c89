"""What is to be said of a resource that is rendered, before it is."""

from collections.abc import Iterator

from wasmpack.actions.render_request import RenderRequest
from wasmpack.actions.render_source import RenderSource
from wasmpack.actions.validate_image import image_problems
from wasmpack.actions.validate_wasmplugin import (
    checksum_problems,
    resource_problems,
    slow_pull_problems,
    start_up_of,
)
from wasmpack.errors import WrongUsage
from wasmpack.findings import Problem, Report, Severity, judge
from wasmpack.mesh.documents import Document
from wasmpack.mesh.kinds import Kind
from wasmpack.mesh.plugin import API_VERSION, KINDS, WASM_PLUGIN, Plugin
from wasmpack.mesh.releases import mesh_targets
from wasmpack.mesh.schema_rules import schema_problems
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonObject
from wasmpack.targets import IBM_NOTE, choose

_CONSUMERS = {
    Kind.ENVOY_EXTENSION_POLICY: ("envoy-gateway",),
    Kind.ENVOY_FILTER: ("istio", "ossm"),
}


def fields_report(request: RenderRequest, metadata: JsonObject, fields: JsonObject) -> Report:
    """The same fields as a WasmPlugin: of other APIs there is no schema here."""
    value: JsonObject = {
        "apiVersion": API_VERSION, "kind": WASM_PLUGIN, "metadata": metadata, "spec": fields,
    }  # fmt: skip
    problems = list(schema_problems(Plugin.of(Document(source="", value=value))))
    subject = f"{request.kind.value} of {MeshUrl.parse(request.source).shown}"
    return judge(subject, "wasmplugin", {request.kind.value: problems}, strict_targets=True)


def resource_report(request: RenderRequest, source: RenderSource, document: Document) -> Report:
    """The resource on every target that reads this kind, with what its image says."""
    plugin = Plugin.of(document)
    subject = f"{request.kind.value} of {MeshUrl.parse(request.source).shown}"
    shared: list[Problem] = []
    if source.unseen:
        message = f"the image was not read, so its root id is not known: {source.unseen}"
        shared.append(plugin.problem("WPL015", Severity.WARNING, "url", message, "--plugin-name"))
    if source.reader is not None:
        shared += checksum_problems(plugin, MeshUrl.parse(source.url), source.reader)
        shared += slow_pull_problems(plugin, source.reader)
        shared += _module_problems(request, source, plugin)
    problems: dict[str, list[Problem]] = {}
    if request.kind in KINDS:
        for name, release in mesh_targets(list(request.targets)).items():
            ibm = _ibm(name)
            problems[name] = [*resource_problems(plugin, release), *shared, *ibm]
    else:
        problems = {
            row.name: list(_url_problems(plugin, source)) + shared
            for row in choose(request.targets)
            if row.consumer in _CONSUMERS[request.kind]
        }
        if request.targets and not problems:
            raise WrongUsage(f"--target {request.targets[0]} reads no {request.kind.value}")
    return judge(subject, "wasmplugin", problems, strict_targets=bool(request.targets))


def _module_problems(
    request: RenderRequest, source: RenderSource, plugin: Plugin
) -> Iterator[Problem]:
    """Why the module would not start with this configuration: a warning, the YAML is asked for."""
    assert source.reader is not None
    if request.kind not in KINDS:
        return
    names = mesh_targets(list(request.targets))
    chosen = [row for row in choose(request.targets) if row.name in names]
    found, _ = image_problems(
        source.reader, str(source.reference), chosen, start_up=start_up_of(plugin)
    )
    rows = list(found.values())
    for problem in dict.fromkeys(rows[-1] if rows else ()):
        if problem.severity is Severity.ERROR and all(problem in row for row in rows):
            message = f"the mesh will not load it: {problem.code}: {problem.message}"
            yield plugin.problem("WPL020", Severity.WARNING, "url", message, problem.hint)


def _url_problems(plugin: Plugin, source: RenderSource) -> Iterator[Problem]:
    for fault in MeshUrl.parse(source.url).faults:
        yield plugin.problem("WPL005", fault.severity, "url", fault.message, fault.hint)


def _ibm(target: str) -> list[Problem]:
    if not target.startswith("ossm-"):
        return []
    return [Problem(code="WPL018", severity=Severity.INFO, where="platform", message=IBM_NOTE)]
