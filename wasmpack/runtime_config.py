"""``runtime-config.json`` (Wasm image specification, spec.md, "Runtime configuration").

No mesh reads this file, but the artifact variant has no second layer without it. Three spellings
of its keys are in use; all are read, camelCase is written.

>>> config = parse_runtime_config(b'{"type": "envoy_proxy", "abi_version": "v0.2.1"}')
>>> config.abi_versions
('v0.2.1',)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Self

from wasmpack.errors import BadArtifact
from wasmpack.findings import Problem, Severity
from wasmpack.oci.canonical import (
    JsonObject,
    JsonValue,
    canonical_json,
    parse_json_object,
)
from wasmpack.oci.media_types import RUNTIME_CONFIG_FILE
from wasmpack.schemas import schema_faults

_ABI_KEYS = ("abiVersions", "abi_versions", "abiVersion", "abi_version")
_ROOT_KEYS = ("rootIds", "root_ids")
MAX_BYTES = 1 << 20
"""Far more than anybody writes: the file names an ABI and a root id."""
ENVOY = "envoy_proxy"
"""The runtime type of every proxy there is (spec.md)."""


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
        text = files("wasmpack").joinpath("templates", RUNTIME_CONFIG_FILE).read_bytes()
        default = _read(parse_json_object(text, RUNTIME_CONFIG_FILE))  # ours: a test checks it
        return cls(
            type=default.type,
            abi_versions=(f"v{abi_version}",) if abi_version else default.abi_versions,
            root_ids=tuple(root_ids) or default.root_ids,
            config=default.config,
            others=default.others,
        )

    def as_json(self) -> JsonObject:
        """In the spelling that is written."""
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

    :raises BadArtifact: no JSON (with line and column), or not by the schema (with the place)
    """
    value = parse_json_object(raw, name, MAX_BYTES)
    errors = list(schema_problems(value))
    if errors:
        places = "; ".join(f"{error.where}: {error.message}" for error in errors)
        raise BadArtifact(
            f"{name}: {places}",
            hint=f"wasmpack validate config {name}",
        )
    return _read(value)


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
        value = parse_json_object(raw, name, MAX_BYTES)
    except BadArtifact as error:
        return [_problem("CFG001", name, error.message, "mend the JSON at that place")]
    found = list(schema_problems(value))
    if not found and value["type"] != ENVOY:
        found.append(
            Problem(
                code="CFG003",
                severity=Severity.WARNING,
                where="$.type",
                message=f"{value['type']!r} is no runtime that is known",
                hint=f"the runtime of Envoy, Istio and OpenShift Service Mesh is {ENVOY!r}",
            )
        )
    return found


def abi_problems(config: RuntimeConfig, abi_version: str | None) -> list[Problem]:
    """A doubt when the file names plain ABI versions, and the module's is not among them."""
    plain = {v.removeprefix("v") for v in config.abi_versions if v.removeprefix("v")[:1] == "0"}
    plain = {v for v in plain if "-" not in v}
    if abi_version is None or not plain or abi_version in plain:
        return []
    return [
        Problem(
            code="CFG004",
            severity=Severity.WARNING,
            where="$.abiVersions",
            message=f"names ABI {', '.join(sorted(plain))}, but the module declares {abi_version}",
            hint=f'write "abiVersions": ["v{abi_version}"]',
        )
    ]


def schema_problems(value: JsonObject) -> Iterator[Problem]:
    """What the JSON Schema says, in the order of the places."""
    for fault in schema_faults("runtime-config", value):
        yield _problem(
            "CFG002",
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
                "CFG002", f"{place}.{given[1]}", f"says the same as {given[0]!r}", "keep one"
            )


def _problem(code: str, where: str, message: str, hint: str) -> Problem:
    return Problem(
        code=code, severity=Severity.ERROR, where=where, message=message[:500], hint=hint
    )


def _names(value: JsonObject, keys: Sequence[str]) -> tuple[str, ...]:
    for key in keys:
        found = value.get(key)
        if isinstance(found, str):
            return (found,)
        if isinstance(found, list):
            return tuple(str(item) for item in found)
    return ()
