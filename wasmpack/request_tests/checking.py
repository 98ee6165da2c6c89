"""Expectations of a test held against what was seen."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from wasmpack.envoy import Exchange, LogLine, Request
from wasmpack.envoy.changes import body_text
from wasmpack.envoy.messages import Message, joined
from wasmpack.oci.canonical import JsonObject, JsonValue
from wasmpack.request_tests.cases import Case, Step
from wasmpack.request_tests.matchers import described, matches
from wasmpack.request_tests.results import Failure

ABSENT = "absent"
_LONGEST = 2000
_CUSTOM = "wasmcustom."
"""Before the names of metrics that plugins define (Envoy, source/extensions/common/wasm)."""


def step_failures(step: Step, exchange: Exchange) -> Iterator[Failure]:
    """Expectations on one request that do not hold."""
    reached = exchange.reached
    if step.reaches_upstream is not None and bool(reached) is not step.reaches_upstream:
        wanted, got = ("a request", "none") if not reached else ("none", reached[0].start)
        yield Failure(what="request at the upstream", expected=wanted, got=got)
    elif reached:
        yield from _of_message("upstream request", step.upstream_request, reached[0])
    yield from _of_message("response", step.response, exchange.response)


def later_failures(
    case: Case,
    lines: Sequence[LogLine],
    stats: Mapping[str, int],
    calls: Mapping[str, Sequence[Request]],
) -> Iterator[Failure]:
    """Expectations on the whole test that do not hold, or not yet."""
    for wanted in case.log:
        found = any(_logged(wanted, line) for line in lines)
        if found is (wanted.get(ABSENT) is True):
            texts = "\n".join(line.text for line in lines) or "nothing"
            expected = {key: value for key, value in wanted.items() if key != ABSENT}
            prefix = "no line with " if wanted.get(ABSENT) is True else ""
            yield Failure(what="log", expected=prefix + described(expected), got=texts[-_LONGEST:])
    for name, each in case.metrics.items():
        number = stats.get(name, stats.get(_CUSTOM + name))
        got = None if number is None else str(number)
        yield from _compared(f"metric {name}", each, got)
    for service, rows in case.calls.items():
        for row in rows:
            made = calls.get(service, ())
            if not any(not list(_of_message("", row, call)) for call in made):
                got = ", ".join(call.start for call in made) or "none"
                yield Failure(what=f"call of {service}", expected=described(row), got=got)


def _logged(wanted: JsonObject, line: LogLine) -> bool:
    level = wanted.get("level")
    others: JsonObject = {k: v for k, v in wanted.items() if k not in {ABSENT, "level"}}
    return (level is None or level == line.level) and matches(others, line.text)


def _of_message(what: str, wanted: Mapping[str, JsonValue], got: Message) -> Iterator[Failure]:
    """Expectations on a request or a response, by its parts."""
    for part, each in wanted.items():
        if part in {"headers", "trailers"} and isinstance(each, dict):
            pairs = got.headers if part == "headers" else got.trailers
            yield from _of_pairs(f"{what} {part[:-1]}", each, pairs)
        elif part == "body":
            yield from _compared(f"{what} body", each, body_text(got.body))
        else:
            yield from _compared(f"{what} {part}", each, str(getattr(got, part)))


def _of_pairs(what: str, wanted: JsonObject, pairs: Iterable[tuple[str, str]]) -> Iterator[Failure]:
    for name, each in wanted.items():
        yield from _compared(f"{what} {name}", each, joined(pairs, name))


def _compared(what: str, wanted: JsonValue, got: str | None) -> Iterator[Failure]:
    if not matches(wanted, got):
        shown = ABSENT if got is None else got[:_LONGEST]
        yield Failure(what=what.strip(), expected=described(wanted), got=shown)
