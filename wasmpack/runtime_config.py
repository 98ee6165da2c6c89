"""``runtime-config.json`` (Wasm image specification, spec.md, "Runtime configuration").

No mesh reads this file, but the artifact variant has no second layer without it. Three spellings
of its keys are in use; all are read, camelCase is written.

>>> config = parse_runtime_config(b'{"type": "envoy_proxy", "abi_version": "v0.2.1"}')
>>> config.abi_versions
('v0.2.1',)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Self

from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Rule, Severity, few
from wasmpack.oci.canonical import JsonObject, JsonValue, canonical_json, parse_json_object
from wasmpack.oci.media_types import RUNTIME_CONFIG_FILE
from wasmpack.schemas import schema_faults
from wasmpack.similar import nearest
from wasmpack.template_files import template_file

_ABI_KEYS = ("abiVersions", "abi_versions", "abiVersion", "abi_version")
_ROOT_KEYS = ("rootIds", "root_ids")
_LONGEST_KEY = 80
_SIMILAR = 0.75
"""Least similarity of a key to the suggested one (difflib's ratio)."""
_COMPARED = 1000
"""Unknown keys of one object that are compared with the known ones."""
_MAX_BYTES = 256 << 10
"""Real files have a few hundred; a layer may be as large as a module."""
_TOLD = 20
"""Faults that are named in one message."""
_FILES_AT_ONCE = 8
"""Files whose meaning is remembered: each is asked for several times."""
ENVOY = "envoy_proxy"
"""The runtime type of every proxy there is (spec.md)."""
NOT_JSON = Rule(
    code="CFG001",
    title="`runtime-config.json` is not JSON",
    consumer="none: no mesh reads the file",
    example='{"type": "envoy_proxy",}',
    fix="fix it at the line and column given",
)
NOT_BY_SCHEMA = Rule(
    code="CFG002",
    title="`runtime-config.json` does not match its schema",
    cause="the place is given",
    consumer="none",
    example='{"abiVersions": ["v0.2.1"]}',
    fix="write what the schema requires, as the hint shows",
)
UNKNOWN_RUNTIME = Rule(
    code="CFG003",
    title="an unknown `type`",
    severity=Severity.WARNING,
    consumer="none",
    example='{"type": "envoy"}',
    fix="write `envoy_proxy`",
)
OTHER_ABI = Rule(
    code="CFG004",
    title="`abiVersions` does not name the module's ABI",
    severity=Severity.WARNING,
    consumer="`wasme`",
    example='{"type": "envoy_proxy", "abiVersions": ["v0.1.0"]} # of a 0.2.1 module',
    fix="write the module's",
)
MISSPELT_KEY = Rule(
    code="CFG005",
    title="an unknown key that resembles a known one",
    severity=Severity.WARNING,
    cause="often a matter of spelling",
    consumer="none",
    example='{"type": "envoy_proxy", "abiversions": ["v0.2.1"]}',
    fix="the hint names the key that may be meant",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig:
    """The file's meaning, whatever its spelling; keys we do not know are kept."""

    type: str
    abi_versions: tuple[str, ...] = ()
    root_ids: tuple[str, ...] = ()
    config: Mapping[str, JsonValue] = field(default_factory=dict)
    """``config`` without the root ids."""
    others: Mapping[str, JsonValue] = field(default_factory=dict)

    @classmethod
    def for_module(cls, abi_version: str | None, root_ids: Sequence[str] = ()) -> Self:
        """The default: the template's type, the module's ABI, the root ids given."""
        text = template_file(RUNTIME_CONFIG_FILE)
        default = _read(parse_json_object(text, RUNTIME_CONFIG_FILE))  # ours: a test checks it
        return cls(
            type=default.type,
            abi_versions=(f"v{abi_version}",) if abi_version else default.abi_versions,
            root_ids=tuple(root_ids) or default.root_ids,
            config=default.config,
            others=default.others,
        )

    def as_json(self) -> JsonObject:
        """The file in the spelling that we write."""
        value: JsonObject = {**self.others, "type": self.type}
        if self.abi_versions:
            value["abiVersions"] = list(self.abi_versions)
        if self.root_ids or self.config:
            roots: JsonObject = {"rootIds": list(self.root_ids)} if self.root_ids else {}
            value["config"] = {**self.config, **roots}
        return value

    def to_bytes(self) -> bytes:
        """The canonical bytes that become a layer."""
        return canonical_json(self.as_json())


def parse_runtime_config(raw: bytes, name: str = RUNTIME_CONFIG_FILE) -> RuntimeConfig:
    """Read the file.

    :raises BadArtifact: invalid JSON (with line and column), or against the schema (with the place)
    """
    value = runtime_config_object(raw, name)
    errors = _schema_problems(raw)
    if errors:
        places = "; ".join(f"{error.where}: {error.message}" for error in errors[:_TOLD])
        raise BadArtifact(f"{name}: {places}", hint=f"wasmpack validate config {name}")
    return _read(value)


def readable_config(raw: bytes | None) -> RuntimeConfig | None:
    """As :func:`parse_runtime_config`; None if that cannot be done, or there is nothing to read."""
    if raw is None:
        return None
    try:
        return parse_runtime_config(raw)
    except BadArtifact:
        return None


def first_root_id(raw: bytes) -> str:
    """The root id that a plugin gets by default; empty if the file names none."""
    config = readable_config(raw)
    return config.root_ids[0] if config and config.root_ids else ""


def runtime_config_object(raw: bytes, name: str = RUNTIME_CONFIG_FILE) -> JsonObject:
    """The file as it is, whatever its schema says.

    :raises BadArtifact: not a JSON object, or far larger than any real one
    """
    if len(raw) > _MAX_BYTES:
        raise BadArtifact(f"{name}: {len(raw)} bytes, more than {_MAX_BYTES >> 10} KiB")
    found = _parsed(raw)
    return parse_json_object(raw, name) if found is None else found


@lru_cache(maxsize=_FILES_AT_ONCE)
def _parsed(raw: bytes) -> JsonObject | None:
    """None if it cannot be parsed: the reason names the file."""
    try:
        return parse_json_object(raw, RUNTIME_CONFIG_FILE)
    except BadArtifact:
        return None


@lru_cache(maxsize=_FILES_AT_ONCE)
def _schema_problems(raw: bytes) -> tuple[Problem, ...]:
    value = _parsed(raw)
    assert value is not None
    return tuple(schema_problems(value))


def _read(value: JsonObject) -> RuntimeConfig:
    config = value.get("config")
    inner = config if isinstance(config, dict) else {}
    return RuntimeConfig(
        type=str(value["type"]),
        abi_versions=_names(value, _ABI_KEYS),
        root_ids=_names(inner, _ROOT_KEYS),
        config={k: v for k, v in inner.items() if k not in _ROOT_KEYS},
        others={k: v for k, v in value.items() if k not in {"type", "config", *_ABI_KEYS}},
    )


def config_problems(raw: bytes, name: str = RUNTIME_CONFIG_FILE) -> list[Problem]:
    """Every fault of the file as a finding, each with its place; none is raised."""
    try:
        value = runtime_config_object(raw, name)
    except BadArtifact as error:
        return [_problem(NOT_JSON, name, error.message, "correct the JSON at that place")]
    found = list(few(_schema_problems(raw), lambda problem: problem))
    misspelt = list(few(_misspelt(value), lambda problem: problem))
    if not found and value["type"] != ENVOY:
        found.append(
            UNKNOWN_RUNTIME.problem(
                "$.type",
                f"unknown runtime {value['type']!r}",
                f"the runtime of Envoy, Istio and OpenShift Service Mesh is {ENVOY!r}",
            )
        )
    return found + misspelt


def _misspelt(value: JsonObject) -> Iterator[Problem]:
    """Keys that resemble known ones; others may be extensions."""
    config = value.get("config")
    inner = config if isinstance(config, dict) else {}
    for place, keys, known in (
        ("$", value, ("type", "config", *_ABI_KEYS)),
        ("$.config", inner, _ROOT_KEYS),
    ):
        for key in islice((key for key in keys if key not in known), _COMPARED):
            if near := nearest(key, known, _SIMILAR):
                yield MISSPELT_KEY.problem(
                    f"{place}.{key[:_LONGEST_KEY]}", "unknown key", f"did you mean {near}?"
                )


def abi_problems(config: RuntimeConfig, abi_version: str | None) -> list[Problem]:
    """A warning if the file names plain ABI versions, but not the module's."""
    plain = {v.removeprefix("v") for v in config.abi_versions if v.removeprefix("v")[:1] == "0"}
    plain = {v for v in plain if "-" not in v}
    if abi_version is None or not plain or abi_version in plain:
        return []
    return [
        OTHER_ABI.problem(
            "$.abiVersions",
            f"names ABI {', '.join(sorted(plain))}, but the module declares {abi_version}",
            f'write "abiVersions": ["v{abi_version}"]',
        )
    ]


def schema_problems(value: JsonObject) -> Iterator[Problem]:
    """Faults by the JSON Schema, in the order of their places."""
    for fault in schema_faults("runtime-config", value):
        yield _problem(
            NOT_BY_SCHEMA,
            fault.json_path,
            fault.message,
            'for example {"type": "envoy_proxy", "abiVersions": ["v0.2.1"]}',
        )
    for keys, inner, place in (
        (_ABI_KEYS, value, "$"),
        (_ROOT_KEYS, value.get("config"), "$.config"),
    ):
        given = [key for key in keys if isinstance(inner, dict) and key in inner]
        if len(given) > 1:
            yield _problem(
                NOT_BY_SCHEMA, f"{place}.{given[1]}", f"duplicates {given[0]!r}", "keep one"
            )


def _problem(rule: Rule, where: str, message: str, hint: str) -> Problem:
    return rule.problem(where, message[:500], hint)


def _names(value: JsonObject, keys: Sequence[str]) -> tuple[str, ...]:
    for key in keys:
        found = value.get(key)
        if isinstance(found, str):
            return (found,)
        if isinstance(found, list):
            return tuple(str(item) for item in found)
    return ()
