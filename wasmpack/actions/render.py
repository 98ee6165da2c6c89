"""From an image to the resource that lets a mesh load it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmpack.actions.checks import Checks
from wasmpack.actions.image_rules import UNREADABLE_IMAGE
from wasmpack.actions.mesh_trust import trust_problems
from wasmpack.actions.plugin_images import (
    IMAGE_UNSEEN,
    checksum_problems,
    slow_pull_problems,
    without_settled,
)
from wasmpack.actions.plugin_urls import PluginUrls
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.render_source import RenderRequest, RenderSource
from wasmpack.actions.resource_problems import resource_problems, start_up_of, with_advice
from wasmpack.actions.validate_image import image_problems
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import BadArtifact, WrongUsage
from wasmpack.findings import Problem, Report, Rule, Severity, Verdict, judge
from wasmpack.kubeyaml.documents import Comment, Document, FieldPath
from wasmpack.kubeyaml.writer import Rendered
from wasmpack.mesh.api_rules import without_needless
from wasmpack.mesh.apis import GATEWAY
from wasmpack.mesh.behaviour import url_problems
from wasmpack.mesh.extension_policy import policy_problems
from wasmpack.mesh.kinds import ORDER, Kind, spec_of
from wasmpack.mesh.plugin import API_VERSION, KINDS, WASM_PLUGIN, Plugin, mapping
from wasmpack.mesh.releases import mesh_targets, resource_release
from wasmpack.mesh.schema_rules import SchemaCheck
from wasmpack.mesh.templates import METADATA, Template, merged, ordered, read_template
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonObject, JsonValue
from wasmpack.stores.session import Session
from wasmpack.targets import IBM_NOTE, Target, choose, target
from wasmpack.template_files import template_file

_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]+")
_LONGEST_NAME = 253
_PRIORITY_NOTE = "explicit: without one it would run after all others, negative ones too"
_FILE_NOTE = "a file of the proxy: it is neither pulled nor checked, mount it there"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPlugin:
    """The resource, and the report on it."""

    rendered: Rendered
    """The resource, ready to be printed."""
    report: Report
    """The verdict of the targets."""

    def text(self, shape: str) -> str:
        """The resource as ``yaml`` or ``json``."""
        return self.rendered.text(shape)


def render_wasmplugin(request: RenderRequest, session: Session | None = None) -> RenderedPlugin:
    """Write the resource.

    :raises RejectedArtifact: the API server, the mesh or its proxy would refuse the result
    :raises WrongUsage: a field that this kind cannot express
    :raises NotFound, RegistryUnavailable: the image must be pinned, but cannot be read
    """
    session = session or Session()
    source = RenderSource.of(
        request.source,
        session,
        pin=request.pin,
        look=request.look,
        remote=request.remote,
    )
    template = _template(request, source)
    fields = _fields(request, source, template)
    name = str(request.given.metadata.get("name") or mapping(template.value["metadata"])["name"])
    metadata = _metadata(template, request.given.metadata)
    if request.kind not in KINDS:
        _accepted(request, fields_report(request, metadata, fields))
    spec = mapping(merged(template.value.get("spec", {}), spec_of(request.kind, name, fields)))
    value: JsonObject = {**template.value, "metadata": metadata, "spec": ordered(spec, ORDER)}
    document = Document(source="", value=value)
    report = _accepted(request, resource_report(request, source, document, fields, session))
    notes = _comments(request, source, document, fields)
    rendered = Rendered(documents=template.with_value(value, notes))
    return RenderedPlugin(rendered=rendered, report=report)


def _template(request: RenderRequest, source: RenderSource) -> Template:
    raw, name = request.template or (
        template_file(request.kind.template),
        f"templates/{request.kind.template}",
    )
    metadata = request.given.metadata
    known = {"name": str(metadata.get("name") or _resource_name(source)), "url": source.url}
    if namespace := metadata.get("namespace"):
        known["namespace"] = str(namespace)
    if reference := source.reference:
        known |= {"registry": reference.registry, "repository": reference.name}
        known |= {"tag": reference.tag} if reference.tag else {}
        known |= {"digest": str(reference.digest)} if reference.digest else {}
    template = read_template(raw, name, request.kind.value, known)
    if "name" not in mapping(template.value.get("metadata")):
        own = template.documents[template.index]
        raise BadArtifact(
            f"{own.where(('metadata',))}: the template has no metadata.name", hint="${name}"
        )
    return template


def _resource_name(source: RenderSource) -> str:
    """The last part of the repository or path, as a valid resource name."""
    path = re.split("[?#]", source.url, maxsplit=1)[0].removesuffix(".wasm")
    last = source.reference.repository if source.reference else path
    name = _NOT_IN_NAMES.sub("-", last.rpartition("/")[2].lower()).strip("-.")
    return name[:_LONGEST_NAME] or "plugin"


def _fields(request: RenderRequest, source: RenderSource, template: Template) -> JsonObject:
    """The fields given, over those from the image, over good defaults."""
    plugin = Plugin.of(Document(source="", value=template.value))
    there = {**plugin.fields, **request.given.fields}
    fields: JsonObject = {"url": source.url}
    if source.digest:
        fields["sha256"] = source.digest
    if source.root_ids and "pluginName" not in there:
        fields["pluginName"] = source.root_ids[0]
    if request.kind in KINDS and "priority" not in there:
        fields["priority"] = 0
    fields |= request.given.fields
    if "url" in request.given.fields:
        raise WrongUsage(
            "url: set by the first argument, not by values", hint="remove url from the values"
        )
    if request.kind is Kind.WASM_PLUGIN and request.targets:
        releases = mesh_targets(list(request.targets)).values()
        fields, _ = without_needless(request.kind.value, fields, releases)
    return fields


def _metadata(template: Template, given: Mapping[str, JsonValue]) -> JsonObject:
    own = mapping(template.value.get("metadata"))
    return ordered(mapping(merged(own, dict(given))), METADATA)


def _accepted(request: RenderRequest, report: Report) -> Report:
    """:raises RejectedArtifact: the report rejects it, and validation is on."""
    if request.validate and report.verdict is Verdict.REJECT:
        raise RejectedArtifact(report, hint="--no-validate writes it anyway")
    return report


def _comments(
    request: RenderRequest, source: RenderSource, document: Document, fields: JsonObject
) -> dict[FieldPath, Comment]:
    plugin = Plugin.of(document)
    found: dict[FieldPath, Comment] = {}
    if "priority" in fields and "priority" not in request.given.fields:
        found[plugin.path("priority")] = Comment(before=(_PRIORITY_NOTE,))
    if source.url.startswith("file://"):
        found[plugin.path("url")] = Comment(before=(_FILE_NOTE,))
    return found


UNSUPPORTED_PLATFORM = Rule(
    code="WPL018",
    title="OpenShift Service Mesh does not support WebAssembly extensions on IBM Z and IBM Power",
    severity=Severity.INFO,
    consumer="OpenShift Service Mesh",
    example="wasmpack render wasmplugin IMAGE --target ossm-2.6",
    fix="none",
)
_CONSUMERS = {Kind.ENVOY_EXTENSION_POLICY: ("envoy-gateway",), Kind.ENVOY_FILTER: ("istio", "ossm")}


def fields_report(request: RenderRequest, metadata: JsonObject, fields: JsonObject) -> Report:
    """Validate the fields as those of a WasmPlugin: we have no schema of other APIs."""
    problems = list(SchemaCheck.of(Plugin.of(_wasm_plugin(metadata, fields))).problems())
    subject = f"{request.kind.value} of {MeshUrl.parse(request.source).shown}"
    return judge(subject, "wasmplugin", {request.kind.value: problems}, strict_targets=True)


def resource_report(
    request: RenderRequest,
    source: RenderSource,
    document: Document,
    fields: JsonObject,
    session: Session,
) -> Report:
    """Validate the resource, and its image or module, for every target that reads this kind.

    :param fields: the fields by WasmPlugin's names, whatever the kind
    """
    plugin = Plugin.of(document)
    subject = f"{request.kind.value} of {MeshUrl.parse(request.source).shown}"
    shared: list[Problem] = []
    if source.fault:
        hint = source.fault.hint or "build and push the image again"
        shared.append(plugin.problem(UNREADABLE_IMAGE, "url", source.fault.message, hint))
    if source.unseen:
        message = f"unknown root id of the image: {source.unseen}"
        shared.append(plugin.problem(IMAGE_UNSEEN, "url", message, "--plugin-name"))
    if source.image is not None:
        shared += checksum_problems(plugin, MeshUrl.parse(source.url), source.image)
        shared += slow_pull_problems(plugin, source.image)
        if source.reference is not None and source.image.source == "registry":
            shared += trust_problems(plugin, source.reference.registry, session.registry)
    problems: dict[str, list[Problem]] = {}
    if request.kind in KINDS:
        by_release = resource_problems(plugin, mesh_targets(list(request.targets)))
        problems = {name: [*rows, *shared, *_ibm(name)] for name, rows in by_release.items()}
    else:
        problems = {
            row.name: [*_url_problems(plugin, source), *_policy_problems(plugin, row), *shared]
            for row in choose(request.targets)
            if row.consumer in _CONSUMERS[request.kind]
        }
        if request.targets and not problems:
            raise WrongUsage(f"--target {request.targets[0]} reads no {request.kind.value}")
    if request.validate:
        start_up = start_up_of(Plugin.of(_wasm_plugin({}, fields)))
        names = list(problems)
        urls = PluginUrls([*map(target, names)], Checks(), session) if request.look else None
        for name, found in _module_problems(source, plugin, start_up, names, urls).items():
            problems[name] += [with_advice(problem, plugin) for problem in found]
    return Checks(targets=request.targets).judge(subject, "wasmplugin", problems)


def _module_problems(
    source: RenderSource,
    plugin: Plugin,
    start_up: StartUp,
    names: list[str],
    urls: PluginUrls | None,
) -> dict[str, list[Problem]]:
    """Findings of the image or URL and its module, started as the resource says."""
    url, shared = MeshUrl.parse(source.url), list[Problem]()
    found: Mapping[str, Sequence[Problem]] = {}
    if source.image is not None:
        chosen = [target(name) for name in names]
        judged, _ = image_problems(source.image, chosen, Checks(start_up=start_up))
        pulled = source.image.manifest
        found = {n: without_settled(rows, plugin, url, pulled) for n, rows in judged.items()}
    elif urls is not None and url.fetched:
        shared, found = urls.problems(plugin, url, start_up, may_come=True)
    return {
        name: [
            *shared,
            *(one for one in found.get(name, ()) if one.severity is not Severity.INFO),
        ]
        for name in names
    }


def _wasm_plugin(metadata: JsonObject, fields: JsonObject) -> Document:
    value: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": WASM_PLUGIN,
        "metadata": metadata,
        "spec": fields,
    }
    return Document(source="", value=value)


def _policy_problems(plugin: Plugin, target: Target) -> Iterator[Problem]:
    if plugin.api is GATEWAY:
        yield from policy_problems(plugin, resource_release(target))


def _url_problems(plugin: Plugin, source: RenderSource) -> Iterator[Problem]:
    return url_problems(plugin, MeshUrl.parse(source.url))


def _ibm(name: str) -> list[Problem]:
    if target(name).consumer != "ossm":
        return []
    return [UNSUPPORTED_PLATFORM.problem("platform", IBM_NOTE)]
