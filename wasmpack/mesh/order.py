"""In which order plugins run that share a phase (istio pilot/pkg/model/push_context.go).

By priority, highest first; an unset one sorts below every number, negative ones too, although the
documentation says 0. Ties go by creation time, then name, then namespace.
"""

from collections.abc import Iterator, Mapping, Sequence

from wasmpack.findings import Problem, Severity
from wasmpack.mesh.behaviour import ROOT_NAMESPACE
from wasmpack.mesh.plugin import Plugin, mapping

UNSET = -(1 << 31)
"""What an unset priority counts as: the least int32."""


def order_problems(plugins: Sequence[Plugin]) -> Mapping[int, list[Problem]]:
    """What the plugins of one set of files say of each other, by their position in it."""
    found: dict[int, list[Problem]] = {}
    for number, plugin in enumerate(plugins):
        found[number] = list(_against(plugin, plugins[:number]))
    return found


def _against(plugin: Plugin, earlier: Sequence[Plugin]) -> Iterator[Problem]:
    mine = _priority(plugin)
    twin = next((other for other in earlier if _same_object(plugin, other)), None)
    if twin is not None:
        message = f"has the name of the one at {twin.document.where()}: the one applied last stays"
        hint = "another name, or one of the two"
        yield plugin.problem("WPL019", Severity.ERROR, ("metadata", "name"), message, hint)
    for other in earlier:
        if not _meet(plugin, other):
            continue
        theirs = _priority(other)
        if mine == theirs:
            message = (
                f"{other.name} has the same phase and priority: which runs first is decided by the "
                "time of creation"
            )
            hint = "give the one that shall run first the higher priority"
        elif UNSET in {mine, theirs} and min(mine, theirs) != max(mine, theirs) < 0:
            message = f"an unset priority runs after {max(mine, theirs)}, it does not count as 0"
            hint = "write priority: 0"
        else:
            continue
        at = "priority" if "priority" in plugin.fields else "phase"
        yield plugin.problem("WPL008", Severity.WARNING, at, message, hint)
        return  # the others would say the same


def _priority(plugin: Plugin) -> int:
    found = plugin.fields.get("priority")
    return found if isinstance(found, int) and not isinstance(found, bool) else UNSET


def _meet(one: Plugin, other: Plugin) -> bool:
    """Whether a proxy may run both, in one phase: no namespace or label tells them apart."""
    namespaces = {one.namespace, other.namespace}
    if len(namespaces) > 1 and ROOT_NAMESPACE not in namespaces:
        return False
    if (_phase(one), _type(one)) != (_phase(other), _type(other)) or _same_object(one, other):
        return False
    mine, theirs = (
        mapping(mapping(p.fields.get("selector")).get("matchLabels")) for p in (one, other)
    )
    return all(theirs[key] == value for key, value in mine.items() if key in theirs)


def _same_object(one: Plugin, other: Plugin) -> bool:
    return (one.kind, one.namespace, one.name) == (other.kind, other.namespace, other.name)


def _type(plugin: Plugin) -> str:
    unset = plugin.text("type") in {"", "UNSPECIFIED_PLUGIN_TYPE"}
    return "HTTP" if unset else plugin.text("type")


def _phase(plugin: Plugin) -> str:
    return plugin.text("phase") or "UNSPECIFIED_PHASE"
