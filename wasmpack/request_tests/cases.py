"""Test files as values: defaults of the file and parameters are already in each case."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from wasmpack.envoy import Answer, Request, Response
from wasmpack.envoy.messages import Headers
from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.documents import Document
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.oci.canonical import JsonObject, JsonValue
from wasmpack.request_tests.matchers import as_text
from wasmpack.schemas import SchemaFault, schema_faults
from wasmpack.similar import nearest

SCHEMA = "request-test"
_MERGED = {"request", "response", "upstreamRequest", "upstream", "headers", "env", "services"}
"""Mappings in which what a test says is added to what the file says."""
_PARAMETER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHOWN = 10
"""Most faults of a file to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A request, and expectations on both ends."""

    request: Request
    repeat: int = 1
    parallel: int = 1
    """Requests that are sent at the same time."""
    upstream_request: JsonObject = field(default_factory=dict)
    """Matchers on the request that reached the upstream."""
    response: JsonObject = field(default_factory=dict)
    """Matchers on the response that the client got."""
    reaches_upstream: bool | None = None
    """None: not tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test."""

    name: str
    where: str
    """File and line."""
    base: Path
    """The directory that its file names start from."""
    plugins: tuple[str, ...]
    settings: JsonObject
    """``pluginConfig``, ``vmConfig``, ``env``, ``rootId``, ``failStrategy`` and ``type``."""
    steps: tuple[Step, ...]
    upstream: Answer | None = None
    """None: it answers with what reached it."""
    services: Mapping[str, Answer] = field(default_factory=dict)
    log: tuple[JsonObject, ...] = ()
    metrics: JsonObject = field(default_factory=dict)
    calls: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
    within: float = 0.0
    """Seconds in which log, metrics and calls may come, after the last response."""
    refused: JsonValue = None
    """Envoy is to refuse the plugin, with such words."""

    @property
    def alone(self) -> bool:
        """It needs an Envoy for itself: what it looks at is shared by all plugins of an Envoy."""
        return bool(self.services or self.metrics or self.calls or self.refused is not None)


def read_cases(raw: bytes, file: Path) -> tuple[Case, ...]:
    """The tests of a file, one for each set of parameters.

    :raises BadArtifact: not YAML, or not a test file: each fault with its line
    """
    documents = read_documents(raw, str(file))
    if len(documents) != 1:
        raise BadArtifact(f"{file}: expected one document, found {len(documents)}")
    (document,) = documents
    faults = list(islice(schema_faults(SCHEMA, document.value), _SHOWN))
    if faults:
        message = "; ".join(f"{document.where(fault.path)}: {fault.message}" for fault in faults)
        meant = next(filter(None, map(_meant, faults)), "")
        raise BadArtifact(message, hint=f"{meant}docs/testing.md; wasmpack test --schema")
    assert isinstance(document.value, dict)
    return tuple(_cases(document, file.parent))


def _meant(fault: SchemaFault) -> str:
    """The known key that an unknown one resembles."""
    if fault.keyword not in {"additionalProperties", "unevaluatedProperties"}:
        return ""
    keys = [key for key in fault.value if key not in fault.known]
    for key in keys[:_SHOWN]:
        if near := nearest(str(key), fault.known):
            return f"did you mean {near}? "
    return ""


def _cases(document: Document, base: Path) -> Iterator[Case]:
    value: Any = document.value
    common = {key: each for key, each in value.items() if key != "tests"}
    seen: set[str] = set()
    for number, test in enumerate(value["tests"]):
        where = document.where(("tests", number)).partition(" ")[0]
        merged = _merged(common, test)
        for parameters in merged.pop("parameters", [{}]):
            filled = _filled(merged, parameters, where)
            if parameters and filled["name"] == merged["name"]:
                filled["name"] += f"[{'-'.join(map(as_text, parameters.values()))}]"
            if filled["name"] in seen:
                raise BadArtifact(f"{where}: a second test of the name {filled['name']!r}")
            seen.add(filled["name"])
            yield _case(filled, where, base)


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The file's values, with those of the test before them."""
    found = dict(common)
    for key, value in own.items():
        both = key in _MERGED and isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = _merged(found[key], value) if both else value
    return found


def _filled(value: Any, parameters: Mapping[str, Any], where: str) -> Any:
    """With ``${name}`` replaced; alone in a text, by the value of any type."""
    if isinstance(value, dict):
        return {key: _filled(each, parameters, where) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, parameters, where) for each in value]
    if not isinstance(value, str) or not parameters:
        return value
    for name in _PARAMETER.findall(value):
        if name not in parameters:
            raise BadArtifact(f"{where}: ${{{name}}}: no such parameter")
    whole = _PARAMETER.fullmatch(value)
    if whole:
        return parameters[whole[1]]
    return _PARAMETER.sub(lambda found: as_text(parameters[found[1]]), value)


def _case(value: Mapping[str, Any], where: str, base: Path) -> Case:
    if "plugin" not in value:
        raise BadArtifact(f"{where}: no plugin, neither here nor for the whole file")
    plugin = value["plugin"]
    upstream = value.get("upstream")
    kept = ("pluginConfig", "vmConfig", "env", "rootId", "failStrategy", "type")
    calls = {name: tuple(rows) for name, rows in value.get("calls", {}).items()}
    log = (row if isinstance(row, dict) else {"contains": row} for row in value.get("log", ()))
    services = value.get("services", {})
    if unknown := calls.keys() - services.keys():
        raise BadArtifact(f"{where}: calls: {min(unknown)} is not among the services")
    return Case(
        name=value["name"],
        where=where,
        base=base,
        plugins=(plugin,) if isinstance(plugin, str) else tuple(plugin),
        settings={key: value[key] for key in kept if key in value},
        steps=tuple(_steps(value, where)),
        upstream=None if upstream is None else _answer(upstream),
        services={name: _answer(each) for name, each in services.items()},
        log=tuple(log),
        metrics=value.get("metrics", {}),
        calls=calls,
        within=value.get("within", 0),
        refused=value.get("refused"),
    )


def _steps(value: Mapping[str, Any], where: str) -> Iterator[Step]:
    """The steps, or the test as the one step that it is."""
    expected = ("request", "response", "upstreamRequest", "reachesUpstream", "repeat", "parallel")
    own = {key: value[key] for key in expected if key in value}
    if "steps" not in value:
        rows = [own] if own or "refused" not in value else []
    else:
        rows = [_merged(own, step) for step in value["steps"]]
    for row in rows:
        reaches = row.get("reachesUpstream")
        if reaches is None and row.get("upstreamRequest"):
            reaches = True
        yield Step(
            request=_request(row.get("request", {}), where),
            repeat=row.get("repeat", row.get("parallel", 1)),
            parallel=row.get("parallel", 1),
            upstream_request=row.get("upstreamRequest", {}),
            response=row.get("response", {}),
            reaches_upstream=reaches,
        )


def _request(value: Mapping[str, Any], where: str) -> Request:
    method, path = value.get("method", "GET"), value.get("path", "/")
    if not (method.isascii() and method.isalpha()):
        raise BadArtifact(f"{where}: invalid method {method!r}")
    if not path.startswith("/") or not path.isascii() or " " in path or not path.isprintable():
        raise BadArtifact(f"{where}: invalid path {path!r}: expected /…, percent-encoded")
    return Request(
        method=method,
        path=path,
        headers=_headers(value.get("headers", {})),
        body=_body(value.get("body", "")),
        trailers=_headers(value.get("trailers", {})),
    )


def _answer(value: Mapping[str, Any]) -> Answer:
    response = Response(
        status=value.get("status", 200),
        headers=_headers(value.get("headers", {})),
        body=_body(value.get("body", "")),
        trailers=_headers(value.get("trailers", {})),
    )
    return Answer(response=response, delay=value.get("delay", 0), reset=value.get("reset", False))


def _headers(value: Mapping[str, Any]) -> Headers:
    """Several values of a name are a list."""
    return tuple(
        (name, as_text(text))
        for name, given in value.items()
        for text in (given if isinstance(given, list) else [given])
    )


def _body(value: Any) -> bytes:
    return as_text(value).encode()
