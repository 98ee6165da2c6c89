"""What the new phases do to the order of several plugins.

Six old phases become three, so two plugins that ran one after the other by their phases may come to
share one, where the higher priority runs first.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter

from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.kubeyaml.documents import cut
from wasmpack.mesh.migration.convert import Migrated
from wasmpack.mesh.migration.extension import PHASES
from wasmpack.mesh.plugin import mapping

SHARED_PHASE = Rule(
    code="SME006",
    title="two plugins that ran one after the other by their phases now share one, where "
    "the priority decides",
    severity=Severity.WARNING,
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
