"""A test file out of requests that were sent: what was seen is what is expected."""

from collections.abc import Iterable, Sequence

from wasmpack.actions.plugin_chain import ChainRequest
from wasmpack.envoy import Exchange
from wasmpack.envoy.changes import Change, body_text, request_changes, response_changes
from wasmpack.envoy.messages import Headers, Message, Request
from wasmpack.kubeyaml.writer import to_yaml
from wasmpack.oci.canonical import JsonObject, JsonValue

HEADER = "# yaml-language-server: $schema={schema}\n"
SCHEMA = "https://raw.githubusercontent.com/wasmpack/wasmpack/main/docs/request-test.schema.json"
_OWN = {"host", "user-agent", "accept"}
"""Headers that every request of ours has."""


def recorded(chain: ChainRequest, exchanges: Sequence[Exchange]) -> str:
    """The text of the file.

    :param chain: the plugins, by names that hold where the file is
    """
    subjects: list[JsonValue] = list(chain.subjects)
    head: JsonObject = {"plugin": subjects[0] if len(subjects) == 1 else subjects}
    given = chain.start_up
    for key, data in (("pluginConfig", given.plugin_config), ("vmConfig", given.vm_config)):
        if data is not None:
            head[key] = data.decode(errors="replace")
    if given.env:
        head["env"] = dict(given.env)
    if given.root_id:
        head["rootId"] = given.root_id
    if chain.fail_strategy:
        head["failStrategy"] = chain.fail_strategy
    names = _names(exchange.sent for exchange in exchanges)
    tests: list[JsonValue] = [
        _test(name, exchange) for name, exchange in zip(names, exchanges, strict=True)
    ]
    return HEADER.format(schema=SCHEMA) + to_yaml(head | {"tests": tests})


def _names(requests: Iterable[Request]) -> list[str]:
    found: list[str] = []
    for request in requests:
        name, number = request.start, 2
        while name in found:
            name, number = f"{request.start} ({number})", number + 1
        found.append(name)
    return found


def _test(name: str, exchange: Exchange) -> JsonObject:
    test: JsonObject = {"name": name, "request": _request(exchange.sent)}
    expected = _expected(request_changes(exchange))
    if expected:
        test["upstreamRequest"] = expected
    response: JsonObject = {}
    if not exchange.network:
        response["status"] = exchange.response.status
    if exchange.answered:
        response |= _expected(response_changes(exchange))
    elif exchange.response.body or exchange.network:
        response["body"] = body_text(exchange.response.body)
    test["response"] = response
    if not exchange.reached:
        test["reachesUpstream"] = False
    return test


def _request(request: Request) -> JsonObject:
    found: JsonObject = {"method": request.method, "path": request.path}
    own = tuple(pair for pair in request.headers if pair[0].lower() not in _OWN)
    return found | _parts(request, own)


def _parts(message: Message, headers: Headers) -> JsonObject:
    parts: JsonObject = {}
    if headers:
        parts["headers"] = dict(headers)
    if message.body:
        parts["body"] = body_text(message.body)
    if message.trailers:
        parts["trailers"] = dict(message.trailers)
    return parts


def _expected(changes: Iterable[Change]) -> JsonObject:
    """Expectations on a message, by its differences; ``start`` is stated as fields."""
    found: JsonObject = {}
    for change in changes:
        after: JsonValue = {"absent": True} if change.after is None else change.after
        if change.part == "body":
            found["body"] = after
        elif change.part != "start":
            group = found.setdefault(f"{change.part}s", {})
            assert isinstance(group, dict)
            group[change.name] = after
        elif " " in (change.after or ""):
            found["method"], _, found["path"] = (change.after or "").partition(" ")
    return found
