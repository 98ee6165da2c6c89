"""From an image to the resource that lets a mesh load it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wasmpack.actions.build import RejectedArtifact
from wasmpack.actions.reading import UNREADABLE
from wasmpack.actions.render_source import RenderSource
from wasmpack.actions.rendered import Rendered
from wasmpack.actions.validate_image import image_problems
from wasmpack.actions.validate_wasmplugin import (
    checksum_problems,
    resource_problems,
    slow_pull_problems,
    start_up_of,
)
from wasmpack.errors import (
    AccessRefused,
    BadArtifact,
    NotFound,
    RegistryUnavailable,
    WrongUsage,
)
from wasmpack.findings import Problem, Report, Severity, Verdict, judge
from wasmpack.mesh.api_rules import schema_problems, without_needless
from wasmpack.mesh.documents import Comment, Document, FieldPath
from wasmpack.mesh.kinds import ORDER, Kind, spec_of
from wasmpack.mesh.plugin import API_VERSION, KINDS, WASM_PLUGIN, Plugin, mapping
from wasmpack.mesh.releases import mesh_targets
from wasmpack.mesh.templates import Template, default_template, merged, ordered, read_template
from wasmpack.mesh.url import MeshUrl
from wasmpack.mesh.values import METADATA, Values
from wasmpack.oci.canonical import JsonObject, JsonValue
from wasmpack.stores.places import Notice
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.targets import IBM_NOTE, choose

_NO_IMAGE = (AccessRefused, NotFound, RegistryUnavailable, *UNREADABLE)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]+")
_LONGEST_NAME = 253
_PRIORITY_NOTE = "explicit: without one it would run after all others, negative ones too"
_FILE_NOTE = "a file of the proxy: it is neither pulled nor checked, mount it there"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What to write; the fields go by WasmPlugin's names, whatever the kind."""

    source: str
    """An image name, or a ``file://`` or ``http(s)://`` URL."""
    kind: Kind = Kind.WASM_PLUGIN
    given: Values = field(default_factory=Values)
    template: tuple[bytes, str] | None = None
    """Content and name of a template of the user's."""
    pin: bool = False
    """Write the digest that the mesh compares."""
    look: bool = True
    """Read the image, for its root id and its digest."""
    remote: bool = False
    targets: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPlugin:
    """The resource, and what is to be said of it."""

    rendered: Rendered
    report: Report

    def text(self, shape: str) -> str:
        """As ``yaml`` or ``json``."""
        return self.rendered.text(shape)


def render_wasmplugin(
    request: RenderRequest, options: RegistryOptions, *, notice: Notice
) -> RenderedPlugin:
    """Write the resource.

    :raises RejectedArtifact: the API server, or every mesh, would refuse what comes out
    :raises WrongUsage: a field that this kind cannot say
    :raises NotFound, RegistryUnavailable: the image cannot be read, and has to be pinned
    """
    source = RenderSource.of(
        request.source, options, notice, pin=request.pin, look=request.look, remote=request.remote
    )
    template = _template(request, source)
    fields = _fields(request, source, template)
    name = str(request.given.metadata.get("name") or mapping(template.value["metadata"])["name"])
    metadata = _metadata(template, request.given.metadata)
    if request.kind not in KINDS:
        _accepted(_fields_report(request, metadata, fields))
    spec = mapping(merged(template.value.get("spec", {}), spec_of(request.kind, name, fields)))
    value: JsonObject = {**template.value, "metadata": metadata, "spec": ordered(spec, ORDER)}
    document = Document(source="", value=value)
    report = _accepted(_report(request, source, document))
    notes = _comments(request, source, document, fields)
    rendered = Rendered(documents=template.with_value(value, notes))
    return RenderedPlugin(rendered=rendered, report=report)


def _template(request: RenderRequest, source: RenderSource) -> Template:
    raw, name = request.template or (
        default_template(request.kind.template),
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
        raise BadArtifact(f"{own.where(('metadata',))}: a template has a name", hint="${name}")
    return template


def _resource_name(source: RenderSource) -> str:
    """The last part of the repository, or of the path, as a name that the API takes."""
    last = source.reference.repository if source.reference else source.url.removesuffix(".wasm")
    name = _NOT_IN_NAMES.sub("-", last.rpartition("/")[2].lower()).strip("-.")
    return name[:_LONGEST_NAME] or "plugin"


def _fields(request: RenderRequest, source: RenderSource, template: Template) -> JsonObject:
    """What was given, over what the image says, over what is good practice."""
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
        raise WrongUsage("the URL is the first argument", hint="leave url out of the values")
    if request.kind is Kind.WASM_PLUGIN and request.targets:
        releases = mesh_targets(list(request.targets)).values()
        fields, _ = without_needless(request.kind.value, fields, releases)
    return fields


def _metadata(template: Template, given: Mapping[str, JsonValue]) -> JsonObject:
    own = mapping(template.value.get("metadata"))
    return ordered(mapping(merged(own, dict(given))), METADATA)


def _accepted(report: Report) -> Report:
    """:raises RejectedArtifact: the verdict says so."""
    if report.verdict is Verdict.REJECT:
        raise RejectedArtifact(report, hint="")
    return report


def _fields_report(request: RenderRequest, metadata: JsonObject, fields: JsonObject) -> Report:
    """The same fields as a WasmPlugin: of other APIs there is no schema here."""
    value: JsonObject = {
        "apiVersion": API_VERSION, "kind": WASM_PLUGIN, "metadata": metadata, "spec": fields,
    }  # fmt: skip
    problems = list(schema_problems(Plugin.of(Document(source="", value=value))))
    subject = f"{request.kind.value} of {request.source}"
    return judge(subject, "wasmplugin", {request.kind.value: problems}, strict_targets=True)


def _report(request: RenderRequest, source: RenderSource, document: Document) -> Report:
    plugin = Plugin.of(document)
    subject = f"{request.kind.value} of {request.source}"
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


_CONSUMERS = {
    Kind.ENVOY_EXTENSION_POLICY: ("envoy-gateway",),
    Kind.ENVOY_FILTER: ("istio", "ossm"),
}


def _module_problems(
    request: RenderRequest, source: RenderSource, plugin: Plugin
) -> Iterator[Problem]:
    """Why the module would not start with this configuration: a warning, the YAML is asked for."""
    assert source.reader is not None
    if request.kind not in KINDS:
        return
    names = mesh_targets(list(request.targets))
    chosen = [row for row in choose(request.targets) if row.name in names]
    found = image_problems(
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
