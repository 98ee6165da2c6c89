"""In which order plugins run that share a phase (istio pilot/pkg/model/push_context.go).

By priority, highest first; an unset one sorts below every number, negative ones too, although the
documentation says 0. Ties go by creation time, then name, then namespace.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.kubeyaml.documents import cut
from wasmpack.mesh.apis import HIGRESS, ISTIO
from wasmpack.mesh.plugin import ROOT_NAMESPACE, Plugin, mapping
from wasmpack.oci.canonical import JsonValue

TIED_PRIORITY = Rule(
    code="WPL008",
    title="two plugins whose order the resources do not decide",
    severity=Severity.WARNING,
    otherwise="info",
    cause="the same priority, or an unset one and a negative one",
    consumer="Istio",
    example="{metadata: {name: a}, spec: {phase: AUTHN, priority: 10}}\n"
    "{metadata: {name: b}, spec: {phase: AUTHN, priority: 10}}",
    fix="write priorities",
)
DUPLICATE_RESOURCE = Rule(
    code="WPL019",
    title="two resources of one kind, namespace and name",
    consumer="the one applied last stays",
    example="{metadata: {name: a}, spec: {priority: 1}}\n"
    "{metadata: {name: a}, spec: {priority: 2}}",
    fix="another name",
)
UNSET = -(1 << 31)
"""Value of an unset priority: the least int32."""
_MOST_COMPARED = 1_000_000
"""Comparisons in one set of files: each pair of 1400 plugins of one phase."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Workloads and position at which a plugin runs."""

    plugin: Plugin
    identity: tuple[str, str, str, str]
    """Group, kind, namespace and name: the same object for the API server."""
    phase: tuple[str, str, str]
    """Group, phase and type: only plugins that share all are ordered by priority."""
    namespace: str
    labels: Mapping[str, object]
    priority: int

    @classmethod
    def of(cls, plugin: Plugin) -> "_Place":
        unset = plugin.text("type") in {"", "UNSPECIFIED_PLUGIN_TYPE"}
        kind = "HTTP" if unset else plugin.text("type")
        return cls(
            plugin,
            identity=(plugin.api.group, plugin.kind, plugin.namespace, plugin.name),
            phase=(plugin.api.group, plugin.text("phase") or "UNSPECIFIED_PHASE", kind),
            namespace=plugin.namespace,
            labels=mapping(mapping(plugin.fields.get("selector")).get("matchLabels")),
            priority=_priority(plugin),
        )

    def meets(self, other: "_Place") -> bool:
        """True if a proxy may run both: no namespace or label tells them apart."""
        if self.namespace != other.namespace and ROOT_NAMESPACE not in {
            self.namespace,
            other.namespace,
        }:
            return False
        if self.identity == other.identity and self.plugin.name:
            return False
        theirs = other.labels
        return all(theirs[key] == value for key, value in self.labels.items() if key in theirs)


def order_problems(plugins: Sequence[Plugin]) -> Mapping[int, list[Problem]]:
    """Findings on the plugins of one set of files together, by their position in it."""
    found: dict[int, list[Problem]] = {}
    first: dict[tuple[str, str, str, str], Plugin] = {}
    rivals: defaultdict[tuple[str, str, str], list[_Place]] = defaultdict(list)
    left = _MOST_COMPARED
    for number, plugin in enumerate(plugins):
        found[number] = []
        if not plugin.alone:
            continue
        place = _Place.of(plugin)
        earlier = rivals[place.phase]
        named = plugin.name  # without one, the API server makes it of generateName
        twin = first.setdefault(place.identity, plugin) if named else plugin
        found[number] += _twins(plugin, twin)
        if plugin.api not in (ISTIO, HIGRESS):  # the others have no phase and no priority
            continue
        if len(earlier) <= left:
            found[number] += _rivals(place, earlier)
        elif left >= 0:
            found[number].append(_not_compared(plugin))
        left -= len(earlier)
        if twin is plugin:  # of one name only one will be there
            earlier.append(place)
    return found


def _not_compared(plugin: Plugin) -> Problem:
    message = f"priorities are not compared any further: more than {_MOST_COMPARED} comparisons"
    hint = "validate fewer files at once"
    return plugin.problem(TIED_PRIORITY, "priority", message, hint, severity=Severity.INFO)


def _twins(plugin: Plugin, twin: Plugin) -> Iterator[Problem]:
    if twin is not plugin:
        message = f"has the name of the one at {twin.document.where()}: the one applied last stays"
        hint = "another name, or one of the two"
        yield plugin.problem(DUPLICATE_RESOURCE, ("metadata", "name"), message, hint)


def _rivals(place: _Place, earlier: Sequence[_Place]) -> Iterator[Problem]:
    plugin, mine = place.plugin, place.priority
    for other in earlier:
        theirs = other.priority
        if mine == theirs and place.meets(other):
            message = (
                f"{cut(other.plugin.name)} has the same phase and priority: which runs first is "
                "decided by the time of creation"
            )
            hint = "give the one that should run first the higher priority"
        elif (
            UNSET in {mine, theirs}
            and mine != theirs
            and max(mine, theirs) < 0
            and (place.meets(other))
        ):
            message = f"an unset priority runs after {max(mine, theirs)}, it does not count as 0"
            hint = "write priority: 0"
        else:
            continue
        at = "priority" if "priority" in plugin.fields else "phase"
        yield plugin.problem(TIED_PRIORITY, at, message, hint)
        return  # the others would say the same


def _priority(plugin: Plugin) -> int:
    return _number(plugin.fields.get("priority"))


def _number(priority: JsonValue) -> int:
    return priority if isinstance(priority, int) and not isinstance(priority, bool) else UNSET


_PHASES = {"AUTHN": 0, "AUTHZ": 1, "STATS": 2}
"""Phases in the order of Istio's filter chain; the unspecified one is the last, before the router
(istio pilot/pkg/networking/core/listener_builder.go)."""


def mesh_order(phase: str, priority: JsonValue) -> tuple[int, int]:
    """A key that sorts plugins as a request meets them; ties keep their order."""
    return _PHASES.get(phase, len(_PHASES)), -_number(priority)
