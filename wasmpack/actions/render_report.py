"""What is to be said of a resource that is rendered, before it is."""

from collections.abc import Iterator

from wasmpack.actions.render_request import RenderRequest
from wasmpack.actions.render_source import RenderSource
from wasmpack.actions.validate import Checks
from wasmpack.actions.validate_image import UNREADABLE_IMAGE, image_problems
from wasmpack.actions.validate_wasmplugin import (
    IMAGE_UNSEEN,
    checksum_problems,
    resource_problems,
    slow_pull_problems,
    start_up_of,
)
from wasmpack.errors import WrongUsage
from wasmpack.findings import Problem, Report, Rule, Severity, judge
from wasmpack.kubeyaml.documents import Document
from wasmpack.mesh.kinds import Kind
from wasmpack.mesh.plugin import API_VERSION, KINDS, WASM_PLUGIN, Plugin
from wasmpack.mesh.releases import mesh_targets
from wasmpack.mesh.schema_rules import schema_problems
from wasmpack.mesh.url import URL_FAULT, MeshUrl
from wasmpack.oci.canonical import JsonObject
from wasmpack.targets import IBM_NOTE, choose, ships, target

UNSUPPORTED_PLATFORM = Rule(
    code="WPL018",
    title="OpenShift Service Mesh does not support WebAssembly extensions on IBM Z and IBM Power",
    severity=Severity.INFO,
    consumer="OpenShift Service Mesh",
    fix="none",
)
_CONSUMERS = {
    Kind.ENVOY_EXTENSION_POLICY: ("envoy-gateway",),
    Kind.ENVOY_FILTER: ("istio", "ossm"),
}


def fields_report(request: RenderRequest, metadata: JsonObject, fields: JsonObject) -> Report:
    """The same fields as a WasmPlugin: of other APIs there is no schema here."""
    problems = list(schema_problems(Plugin.of(_wasm_plugin(metadata, fields))))
    subject = f"{request.kind.value} of {MeshUrl.parse(request.source).shown}"
    return judge(subject, "wasmplugin", {request.kind.value: problems}, strict_targets=True)


def resource_report(
    request: RenderRequest, source: RenderSource, document: Document, fields: JsonObject
) -> Report:
    """The resource on every target that reads this kind, with what its image says.

    :param fields: the same by WasmPlugin's names, whatever the kind
    """
    plugin = Plugin.of(document)
    subject = f"{request.kind.value} of {MeshUrl.parse(request.source).shown}"
    shared: list[Problem] = []
    if source.fault:
        hint = source.fault.hint or "build and push the image again"
        shared.append(plugin.problem(UNREADABLE_IMAGE, "url", source.fault.message, hint))
    if source.unseen:
        message = f"the root id of the image is not known: {source.unseen}"
        shared.append(plugin.problem(IMAGE_UNSEEN, "url", message, "--plugin-name"))
    if source.image is not None:
        shared += checksum_problems(plugin, MeshUrl.parse(source.url), source.image)
        shared += slow_pull_problems(plugin, source.image)
    problems: dict[str, list[Problem]] = {}
    if request.kind in KINDS:
        by_release = resource_problems(plugin, mesh_targets(list(request.targets)))
        problems = {name: [*rows, *shared, *_ibm(name)] for name, rows in by_release.items()}
    else:
        problems = {
            row.name: list(_url_problems(plugin, source)) + shared
            for row in choose(request.targets)
            if row.consumer in _CONSUMERS[request.kind]
        }
        if request.targets and not problems:
            raise WrongUsage(f"--target {request.targets[0]} reads no {request.kind.value}")
    if request.validate and source.image is not None:
        as_plugin = Plugin.of(_wasm_plugin({}, fields))
        for name, found in _module_problems(source, as_plugin, list(problems)).items():
            problems[name] += found
    return judge(subject, "wasmplugin", problems, strict_targets=bool(request.targets), ships=ships)


def _module_problems(
    source: RenderSource, plugin: Plugin, names: list[str]
) -> dict[str, list[Problem]]:
    """Why a target would refuse the image or its module, started as the resource says."""
    assert source.image is not None
    chosen = [target(name) for name in names]
    found, _ = image_problems(source.image, chosen, Checks(start_up=start_up_of(plugin)))
    return {
        name: [problem for problem in rows if problem.severity is Severity.ERROR]
        for name, rows in found.items()
    }


def _wasm_plugin(metadata: JsonObject, fields: JsonObject) -> Document:
    value: JsonObject = {
        "apiVersion": API_VERSION, "kind": WASM_PLUGIN, "metadata": metadata, "spec": fields,
    }  # fmt: skip
    return Document(source="", value=value)


def _url_problems(plugin: Plugin, source: RenderSource) -> Iterator[Problem]:
    for fault in MeshUrl.parse(source.url).faults:
        yield plugin.problem(URL_FAULT, "url", fault.message, fault.hint(), severity=fault.severity)


def _ibm(name: str) -> list[Problem]:
    if target(name).consumer != "ossm":
        return []
    return [UNSUPPORTED_PLATFORM.problem("platform", IBM_NOTE)]
