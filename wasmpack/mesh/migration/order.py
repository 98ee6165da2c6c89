"""What the new phases do to the order of several plugins.

Six old phases become three, so two plugins that ran one after the other by their phases may come to
share one, where the higher priority runs first.
"""

from collections.abc import Iterator, Sequence

from wasmpack.findings import Problem, Rule, Severity
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


def sharing_problems(migrated: Sequence[Migrated]) -> Iterator[tuple[int, Problem]]:
    """(position, problem) of each plugin that would now run before one that it ran after."""
    for number, item in enumerate(migrated):
        for other in migrated:
            if not _ran_before(other, item) or _priority(other) > _priority(item):
                continue
            first, second = other.extension, item.extension
            message = (
                f"{first.name} ({first.phase}) ran before {second.name} ({second.phase}); now both "
                f"are in {PHASES[second.phase]}, with priorities {_priority(other)} and "
                f"{_priority(item)}"
            )
            where = second.document.where(("spec", "phase"))
            hint = f"give {first.name} a priority above {_priority(item)}"
            yield number, SHARED_PHASE.problem(where, message, hint)


def _ran_before(one: Migrated, other: Migrated) -> bool:
    """By their old phases, in one namespace, and both in one phase now."""
    if one is other or one.document is None or other.document is None:
        return False
    first, second = one.extension, other.extension
    if first.phase not in PHASES or second.phase not in PHASES:
        return False
    order = list(PHASES)
    return (
        first.metadata.get("namespace") == second.metadata.get("namespace")
        and PHASES[first.phase] == PHASES[second.phase]
        and order.index(first.phase) < order.index(second.phase)
    )


def _priority(item: Migrated) -> int:
    value = mapping(item.document.value if item.document else None)
    found = mapping(value.get("spec")).get("priority")
    return found if isinstance(found, int) else 0
