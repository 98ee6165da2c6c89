"""From one ServiceMeshExtension to one WasmPlugin.

The published mapping (OpenShift documentation, "Migrating from ServiceMeshExtension to WasmPlugin
resources") and what the two implementations do besides: maistra/istio
pkg/servicemesh/extension/apply_extension.go, istio pilot/pkg/model/extensions.go.

Six old phases become three, so two plugins that ran one after the other by their phases may come to
share one, where the higher priority runs first.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import itemgetter

from wasmpack.findings import Problem, Rule, Severity, few, few_of_each
from wasmpack.kubeyaml.documents import Comment, Document, FieldPath, cut, shortened
from wasmpack.mesh.kinds import ORDER
from wasmpack.mesh.migration.extension import (
    API_VERSIONS,
    KEPT_METADATA,
    LAST_APPLIED,
    PHASES,
    SERVER_METADATA,
    Extension,
    MigrationOptions,
    NewImage,
    Work,
    unknown_fields,
)
from wasmpack.mesh.migration.fields import (
    NOT_CARRIED_OVER,
    configuration,
    image_url,
    phase,
    priority,
    selector,
)
from wasmpack.mesh.migration.implied import direction, pulling, root_id
from wasmpack.mesh.plugin import API_VERSION, WASM_PLUGIN, mapping
from wasmpack.mesh.templates import ordered
from wasmpack.oci.canonical import JsonObject

UNKNOWN_API_VERSION = Rule(
    code="SME002",
    title="an `apiVersion` that ServiceMeshExtension never had",
    example="apiVersion: maistra.io/v2",
    fix="one of the three",
)
FIELD_LEFT_OUT = Rule(
    code="SME012",
    title="a field that is left out, because no mesh read it or because it belongs to the"
    " old object",
    severity=Severity.WARNING,
    example="replicas: 3",
    fix="none",
)
_STEPS = (image_url, phase, priority, selector, configuration, pulling, root_id, direction)
_MOVED: dict[FieldPath, FieldPath] = {
    ("spec", "image"): ("spec", "url"),
    ("spec", "config"): ("spec", "pluginConfig"),
    ("spec", "workloadSelector"): ("spec", "selector"),
    ("spec", "workloadSelector", "labels"): ("spec", "selector", "matchLabels"),
    ("spec", "imagePullSecrets"): ("spec", "imagePullSecret"),
}
"""Fields under other names; the longest beginning of a path counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """Result for one resource."""

    extension: Extension
    """The original resource."""
    document: Document | None
    """The WasmPlugin; None if it was refused."""
    problems: tuple[Problem, ...]
    """Fields that could not be carried over, or that mean something else now."""


def migrate_extension(
    document: Document, options: MigrationOptions, image: NewImage | None = None
) -> Migrated:
    """Carry over what can be; say what cannot, and what changes its meaning.

    :param image: what its image became; None if images are left alone
    """
    work = Work(Extension(document), options, image)
    _check_frame(work)
    spec: JsonObject = {}
    for step in _STEPS:
        step(work, spec)
    for path in unknown_fields(work.extension):
        work.say(FIELD_LEFT_OUT, path, "no release of the API knew this field: left out")
    value: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": WASM_PLUGIN,
        "metadata": _metadata(work),
        "spec": ordered(spec, ORDER),
    }
    refused = any(problem.severity is Severity.ERROR for problem in work.problems)
    done = None if refused else Document(source="", value=value, comments=_comments(work))
    problems = tuple(few_of_each(work.problems))
    return Migrated(extension=work.extension, document=done, problems=problems)


def _check_frame(work: Work) -> None:
    value = work.extension.value
    if value.get("apiVersion") not in API_VERSIONS:
        known = ", ".join(API_VERSIONS)
        message = (
            f"unknown apiVersion of ServiceMeshExtension: {shortened(value.get('apiVersion'))}"
        )
        work.say(UNKNOWN_API_VERSION, ("apiVersion",), message, f"known are: {known}")
    if not isinstance(value.get("spec"), dict):
        work.say(NOT_CARRIED_OVER, ("spec",), "spec is missing or not a mapping")
    if not work.extension.name:
        hint = "generateName makes a name at every apply: give it one"
        work.say(NOT_CARRIED_OVER, ("metadata", "name"), "there is no name", hint)


def _metadata(work: Work) -> JsonObject:
    old = work.extension.metadata
    new: JsonObject = {key: old[key] for key in KEPT_METADATA if key in old}
    annotations = new.get("annotations")
    if isinstance(annotations, dict):
        kept = {key: text for key, text in annotations.items() if key != LAST_APPLIED}
        new["annotations"] = kept
        if not kept:
            del new["annotations"]
    if not new.get("namespace") and work.options.namespace:
        new["namespace"] = work.options.namespace
    for key in old:
        if key not in KEPT_METADATA and key not in SERVER_METADATA:
            message = "left out: it belongs to the old resource"
            work.say(FIELD_LEFT_OUT, ("metadata", key), message)
    return ordered(new, KEPT_METADATA)


def _comments(work: Work) -> dict[FieldPath, Comment]:
    """Those of the old resource at the fields' new places, and ours."""
    found = {_moved(path): comment for path, comment in work.extension.document.comments.items()}
    if work.options.as_published:
        return found
    for path, note in work.notes.items():
        old = found.get(path, Comment())
        found[path] = Comment(before=(*old.before, note), after=old.after)
    return found


def _moved(path: FieldPath) -> FieldPath:
    for size in range(len(path), 0, -1):
        if path[:size] in _MOVED:
            return _MOVED[path[:size]] + path[size:]
    return path


SHARED_PHASE = Rule(
    code="SME006",
    title="two plugins that ran one after the other by their phases now share one, where "
    "the priority decides",
    severity=Severity.WARNING,
    example="{metadata: {name: a}, spec: {phase: PostAuthN, priority: 1}}\n"
    "{metadata: {name: b}, spec: {phase: PreAuthZ, priority: 5}}",
    fix="the priority in the hint",
)


_ORDER = list(PHASES)


def sharing_problems(migrated: Sequence[Migrated]) -> Iterator[tuple[int, Problem]]:
    """(position, problem) of each plugin that would now run before one that it ran after."""
    groups = _by_priority(migrated)
    for number, item in enumerate(migrated):
        if item.document is None or item.extension.phase not in PHASES:
            continue
        for problem in few(_ran_before(item, groups), partial(_shared, item)):
            yield number, problem


_Group = list[tuple[int, int, Migrated]]
"""Plugins by priority, then position: of one namespace and one old phase."""


def _by_priority(migrated: Sequence[Migrated]) -> Mapping[tuple[str, str], _Group]:
    groups: defaultdict[tuple[str, str], _Group] = defaultdict(list)
    for number, item in enumerate(migrated):
        if item.document is not None:
            key = _namespace(item), item.extension.phase
            groups[key].append((_priority(item), number, item))
    for group in groups.values():
        group.sort(key=itemgetter(0, 1))
    return groups


def _ran_before(item: Migrated, groups: Mapping[tuple[str, str], _Group]) -> Iterator[Migrated]:
    """Those of earlier phases that share one with it now, and do not have a higher priority."""
    phase, own = item.extension.phase, _priority(item)
    for earlier in _ORDER[: _ORDER.index(phase)]:
        if PHASES[earlier] == PHASES[phase]:
            group = groups.get((_namespace(item), earlier), [])
            end = bisect_right(group, own, key=itemgetter(0))
            yield from (other for _, _, other in islice(group, end))


def _shared(item: Migrated, other: Migrated) -> Problem:
    first, second = other.extension, item.extension
    name = cut(first.name)
    message = (
        f"{name} ({first.phase}) ran before {cut(second.name)} ({second.phase}); now both "
        f"are in {PHASES[second.phase]}, with priorities {_priority(other)} and "
        f"{_priority(item)}"
    )
    where = second.document.where(("spec", "phase"))
    return SHARED_PHASE.problem(where, message, f"give {name} a priority above {_priority(item)}")


def _namespace(item: Migrated) -> str:
    """As it is written, whatever its type."""
    return repr(item.extension.metadata.get("namespace"))


def _priority(item: Migrated) -> int:
    value = mapping(item.document.value if item.document else None)
    found = mapping(value.get("spec")).get("priority")
    return found if isinstance(found, int) else 0
