"""All ServiceMeshExtensions of a cluster, and their images, in one go."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wasmpack.actions.image_moves import ImageOutcome, ImageStatus
from wasmpack.actions.migrate_images import migrate_images, new_image
from wasmpack.actions.repack import RepackRequest
from wasmpack.actions.resource_problems import resource_problems
from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Report, Rule, Severity, Verdict, judge
from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.kubeyaml.writer import is_plain, to_yaml
from wasmpack.mesh.api_rules import API_REFUSES
from wasmpack.mesh.behaviour import WIDE_SCOPE
from wasmpack.mesh.migration.convert import Migrated, migrate_extension, sharing_problems
from wasmpack.mesh.migration.extension import KIND, Extension, MigrationOptions, is_extension
from wasmpack.mesh.migration.fields import FROM_IMAGE_MANIFEST, IMAGE_NOT_LOOKED_AT, NO_PHASE
from wasmpack.mesh.order import TIED_PRIORITY, order_problems
from wasmpack.mesh.plugin import WASM_PLUGIN, Plugin, mapping
from wasmpack.mesh.pulling import MOVING_IMAGE
from wasmpack.mesh.releases import BOTH_DIRECTIONS, mesh_targets
from wasmpack.stores.session import Session

IMAGE_NOT_PACKED = Rule(
    code="SME015",
    title="the image could not be packed",
    example="the image could not be packed: registry r.example: connection refused",
    fix="fix that, run the same command again",
)
SAME_NAME = Rule(
    code="SME017",
    title="two resources would become one",
    cause="same namespace and name",
    example="{metadata: {name: a}, spec: {priority: 1}}\n"
    "{metadata: {name: a}, spec: {priority: 2}}",
    fix="another name, or leave one out",
)
_REPEATED = {API_REFUSES, MOVING_IMAGE, WIDE_SCOPE}
"""Findings on the new resource that say what the old one did as well, or what SME ones say."""
_OF_IMAGES = {NO_PHASE, IMAGE_NOT_LOOKED_AT, FROM_IMAGE_MANIFEST}
"""Findings that are unknown until the image is packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRequest:
    """Resources to migrate, and how."""

    documents: Sequence[Document]
    """ServiceMeshExtensions; others stay as they are."""
    subject: str
    """The name of it all, for messages."""
    options: MigrationOptions = field(default_factory=MigrationOptions)
    """How resources are written."""
    images: str = ""
    """Destination of the images: registry and path; empty for no images and no network."""
    pin: bool = False
    """Write the digests of the new images."""
    remote: bool = False
    """Read the old images from their registries only, whatever the local store holds."""
    repack: RepackRequest = field(default_factory=lambda: RepackRequest(extension=True))
    """How images are packed."""
    targets: Sequence[str] = ()
    """Names, or ``all``; none means the default targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRow:
    """One resource: what it was, and what became of it."""

    migrated: Migrated
    """The result for the resource."""
    report: Report
    """Findings of the migration, and on the new resource."""
    image: ImageOutcome | None
    """The result for its image; None if images are left alone."""

    @property
    def done(self) -> bool:
        """True if there is a WasmPlugin of it."""
        return self.migrated.document is not None

    def as_json(self) -> dict[str, object]:
        """The shape of one row of ``resources`` in the report."""
        extension = self.migrated.extension
        return {
            "source": extension.document.where(),
            "namespace": extension.metadata.get("namespace"),
            "name": extension.name,
            "status": "migrated" if self.done else "refused",
            "image": self.image.as_json() if self.image else None,
            "findings": [finding.as_json() for finding in self.report.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Everything that went in and what came out, in its order."""

    outputs: tuple[Document, ...]
    """New resources; documents of other kinds as they stood."""
    rows: tuple[MigrationRow, ...]
    """One for each ServiceMeshExtension."""

    @property
    def complete(self) -> bool:
        """True if every resource was migrated."""
        return all(row.done for row in self.rows)

    def as_json(self) -> dict[str, object]:
        """The shape of ``--report FILE.json``."""
        return {
            "schemaVersion": 1,
            "migrated": sum(row.done for row in self.rows),
            "refused": sum(not row.done for row in self.rows),
            "resources": [row.as_json() for row in self.rows],
        }


def migrate_extensions(
    request: MigrationRequest,
    session: Session | None = None,
    *,
    advance: Callable[[ImageOutcome], None] = lambda _: None,
) -> Migration:
    """Migrate every ServiceMeshExtension; what cannot be carried over refuses its resource alone.

    :raises BadArtifact: there is none among the documents
    :raises WrongUsage: a target that reads no WasmPlugin
    """
    entries = list(_entries(request.documents))
    found = [entry for entry in entries if is_extension(entry)]
    if not found:
        kinds = sorted({str(mapping(d.value).get("kind") or "no kind") for d in request.documents})
        raise BadArtifact(
            f"{request.subject}: no {KIND} in it (but {', '.join(kinds) or 'nothing'})",
            hint="oc get servicemeshextensions --all-namespaces -o yaml",
        )
    outcomes: Mapping[str, ImageOutcome] = {}
    if request.images:
        names = [image for item in found if (image := Extension(item).image)]
        outcomes = migrate_images(
            names,
            request.images,
            request.repack,
            session or Session(),
            advance=advance,
            remote=request.remote,
        )
    migrated = [_migrated(item, request, outcomes) for item in found]
    migrated = list(_without_twins(migrated, entries))
    rows = tuple(_rows(migrated, request, outcomes))
    results = iter(rows)
    outputs: list[Document] = []
    for entry in entries:
        if not is_extension(entry):
            outputs.append(entry)
        elif (row := next(results)).migrated.document is not None:
            outputs.append(row.migrated.document)
    return Migration(outputs=tuple(outputs), rows=rows)


def documents_text(outputs: Sequence[Document]) -> list[str]:
    """Each as YAML, those of other kinds as they were written."""
    return [_kept_text(output) or to_yaml(output.value, output.comments) for output in outputs]


def _kept_text(document: Document) -> str:
    """The text as written, if it means the same on its own and may be shown; otherwise nothing."""
    if not document.text or not is_plain(document.text):
        return ""
    text = document.text if document.text.endswith("\n") else f"{document.text}\n"
    try:
        again = read_documents(text.encode(), document.source)
    except BadArtifact:
        return ""
    return text if [found.value for found in again] == [document.value] else ""


def _entries(documents: Sequence[Document]) -> Iterator[Document]:
    """Every document, of a list with extensions in it the items."""
    for document in documents:
        items = list(document.items())
        yield from items if any(map(is_extension, items)) else [document]


def _migrated(
    document: Document, request: MigrationRequest, outcomes: Mapping[str, ImageOutcome]
) -> Migrated:
    outcome = outcomes.get(Extension(document).image)
    image = new_image(outcome, pin=request.pin) if outcome else None
    releases = mesh_targets(list(request.targets)).values()
    outbound = any(release >= BOTH_DIRECTIONS for release in releases)
    options = replace(request.options, both_directions=outbound)
    done = migrate_extension(document, options, image)
    if outcome is None or outcome.status is not ImageStatus.FAILED:
        return done
    problem = IMAGE_NOT_PACKED.problem(
        document.where(("spec", "image")),
        f"the image could not be packed: {outcome.reason}",
        outcome.hint or "fix that and run the same command again: what is packed is kept",
    )
    others = tuple(found for found in done.problems if found.rule not in _OF_IMAGES)
    return replace(done, document=None, problems=(problem, *others))


def _without_twins(migrated: Sequence[Migrated], entries: Sequence[Document]) -> Iterator[Migrated]:
    """The first of several resources with one name; the last one applied would win."""
    others = [_identity(other) for entry in entries for other in _other_plugins(entry)]
    seen = dict.fromkeys(others, "a WasmPlugin of these files")
    for item in migrated:
        place = item.extension.document
        name = _identity(item.document) if item.document else None
        if name is None or name not in seen:
            seen |= {} if name is None else {name: place.where()}
            yield item
            continue
        problem = SAME_NAME.problem(
            place.where(("metadata", "name")),
            f"would have the name of {seen[name]}: the one applied last would stay",
            "another name, or leave one of them out",
        )
        yield replace(item, document=None, problems=(problem, *item.problems))


def _identity(document: Document) -> tuple[str, str]:
    plugin = Plugin.of(document)
    return plugin.namespace, plugin.name


def _other_plugins(entry: Document) -> list[Document]:
    return [d for d in entry.items() if mapping(d.value).get("kind") == WASM_PLUGIN]


def _rows(
    migrated: Sequence[Migrated], request: MigrationRequest, outcomes: Mapping[str, ImageOutcome]
) -> Iterator[MigrationRow]:
    """Each judged as the resource that it became."""
    releases = mesh_targets(list(request.targets))
    made = [number for number, item in enumerate(migrated) if item.document]
    plugins = [Plugin.of(item.document) for item in migrated if item.document]
    ties = {made[n]: rows for n, rows in order_problems(plugins).items()}
    shared: dict[int, list[Problem]] = {}
    for number, problem in sharing_problems(migrated):
        shared.setdefault(number, []).append(problem)
    for number, item in enumerate(migrated):
        own = [*item.problems, *shared.get(number, []), *_tied(item, ties.get(number, []))]
        problems = {name: list(own) for name in releases}
        if item.document is not None:
            for name, found in resource_problems(Plugin.of(item.document), releases).items():
                problems[name] += _of_plugin(item, found)
        report = judge(
            item.extension.document.where(),
            "wasmplugin",
            problems,
            strict_targets=bool(request.targets),
        )
        refused = report.verdict is Verdict.REJECT
        yield MigrationRow(
            migrated=replace(item, document=None) if refused else item,
            report=report,
            image=outcomes.get(item.extension.image),
        )


def _of_plugin(item: Migrated, found: Sequence[Problem]) -> list[Problem]:
    """Problems of the new resource, at the place of the old one."""
    at = item.extension.document.where()
    return [
        replace(problem, where=f"{at} → {problem.where}")
        for problem in found
        if problem.rule not in _REPEATED or problem.severity is Severity.ERROR
    ]


def _tied(item: Migrated, found: Sequence[Problem]) -> list[Problem]:
    at = item.extension.document.where(("spec", "priority"))
    return [replace(problem, where=at) for problem in found if problem.rule is TIED_PRIORITY]
