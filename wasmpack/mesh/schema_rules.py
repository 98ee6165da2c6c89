"""Violations of the API's schema by a resource, in helpful messages.

Source: istio/api kubernetes/customresourcedefinitions.gen.yaml, as ``wasmplugin.schema.json``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Self

from wasmpack.findings import Problem, Rule, few
from wasmpack.kubeyaml.documents import FieldPath, cut, path_text, shortened
from wasmpack.mesh.places import Schema, form_at, resolved, schema_of, where_it_belongs
from wasmpack.mesh.plugin import Plugin, mapping
from wasmpack.mesh.releases import Release, parse_release
from wasmpack.oci.canonical import JsonValue
from wasmpack.schemas import SchemaFault, schema_faults
from wasmpack.similar import nearest

_MOST = 1000
"""Unknown fields of one resource; a hostile one has millions."""
BY_NO_SCHEMA = Rule(
    code="WPL001",
    title="against the schema of the API",
    cause="a type, a value, a length, a required field",
    consumer="the API server",
    example="phase: authn",
    fix="as the message says",
)
UNKNOWN_FIELD = Rule(
    code="WPL002",
    title="a field that no release knows",
    cause="often a matter of spelling",
    consumer="refused, or silently dropped",
    example="pluginconfig: {}",
    fix="the hint names the field that may be meant",
)


@dataclass(frozen=True, slots=True)
class SchemaCheck:
    """The faults of one resource, found once for all releases."""

    plugin: Plugin
    faults: tuple[SchemaFault, ...]
    unknown: tuple[FieldPath, ...]
    """Fields that no release has, null or not."""

    @classmethod
    def of(cls, plugin: Plugin) -> Self:
        """Compare a resource with the schema of its kind."""
        if not (plugin.definition and plugin.alone):
            return cls(plugin, faults=(), unknown=())
        faults = schema_faults("wasmplugin", plugin.value, plugin.definition)
        unknown = _unknown(plugin.document.value, schema_of(plugin.definition), ())
        return cls(
            plugin,
            faults=tuple(fault for fault in faults if not _is_unknown_field(fault)),
            unknown=tuple(islice(unknown, _MOST)),
        )

    def problems(self, release: Release | None = None) -> Iterator[Problem]:
        """Findings of this release; without one, of the newest."""
        faults = (fault for fault in self.faults if _applies(fault, release))
        yield from few(faults, self._problem)
        yield from few(self.unknown, self._unknown_field)

    def _problem(self, fault: SchemaFault) -> Problem:
        message = f"the API server refuses it: {_words(fault)}"
        hint = _schema_hint(fault, self.plugin.definition)
        return self.plugin.problem(BY_NO_SCHEMA, fault.path, message, hint)

    def _unknown_field(self, path: FieldPath) -> Problem:
        *above, key = path
        shown = path_text((*above, cut(str(key))))
        message = f"no release knows {shown}: it is refused, or dropped silently"
        hint = where_it_belongs(self.plugin.definition, tuple(above), str(key))
        return self.plugin.problem(UNKNOWN_FIELD, path, message, hint)


def _applies(fault: SchemaFault, release: Release | None) -> bool:
    return not fault.since or release is None or release >= parse_release(fault.since)


def _is_unknown_field(fault: SchemaFault) -> bool:
    return fault.keyword == "additionalProperties" and fault.expected is False


def _unknown(value: JsonValue, schema: Schema, path: FieldPath) -> Iterator[FieldPath]:
    """Each key that the schema does not have, in any depth.

    With strict field validation, the API server refuses one whose value is null as well.
    """
    for number, item in enumerate(value if isinstance(value, list) else []):
        yield from _unknown(item, resolved(schema.get("items", {})), (*path, number))
    known = schema.get("properties", {})
    for key, item in mapping(value).items():
        if key in known:
            yield from _unknown(item, resolved(known[key]), (*path, key))
        elif schema.get("additionalProperties") is False:
            yield (*path, key)


def _words(fault: SchemaFault) -> str:
    if fault.keyword == "enum":
        return f"{shortened(fault.value)} is not one of {', '.join(fault.expected)}"
    if fault.path[-1:] == ("sha256",) and isinstance(fault.value, str):
        return "sha256 field must match [a-f0-9]{64} pattern"
    if fault.keyword == "type":
        kinds = fault.expected if isinstance(fault.expected, list) else [fault.expected]
        return f"expected {' or '.join(kinds)}, found {_KINDS[type(fault.value)]}"
    if fault.keyword == "pattern":
        shape = _SHAPES.get(str(fault.path[-1]), "in the expected form") if fault.path else ""
        return f"{shortened(fault.value)} is not {shape}"
    if fault.keyword == "maxLength":
        return f"longer than {fault.expected} characters"
    if fault.keyword == "minLength":
        return "an empty string"
    if fault.keyword in {"maxItems", "maxProperties"}:
        return f"more than {fault.expected} of them"
    if fault.keyword in {"minItems", "minProperties"}:
        return f"fewer than {fault.expected} of them"
    return fault.message


_SHAPES = {
    "creationTimestamp": "a time of RFC 3339",
    "deletionTimestamp": "a time of RFC 3339",
    "name": "a name in lower case",
    "namespace": "a name in lower case",
}
_KINDS = {
    dict: "a mapping",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "nothing",
}


def _schema_hint(fault: SchemaFault, kind: str) -> str:
    if fault.keyword == "enum" and (near := nearest(str(fault.value), fault.expected)):
        return f"did you mean {near}?"
    if fault.path[-1:] == ("sha256",) and isinstance(fault.value, str):
        return (
            "64 lower-case hexadecimal digits, without 'sha256:': of an image "
            "wasmpack digest IMAGE, behind http(s):// sha256sum of the unpacked module"
        )
    if fault.path[-1:] == ("imagePullPolicy",):
        return "there is no Never; IfNotPresent is the default"
    if fault.path[-1:] == ("pluginConfig",):
        return "a mapping: the plugin gets it as JSON text"
    if fault.keyword == "required":
        return "add it"
    if fault.keyword == "type" and fault.expected == "string" and fault.value is not None:
        return "put it in quotes"
    if fault.keyword == "type" and "integer" in fault.expected and isinstance(fault.value, str):
        return "write it without quotes"
    if fault.keyword == "type" and fault.expected in ("array", "object"):
        return form_at(kind, fault.path)
    if fault.path[-1:] in {("name",), ("namespace",)} and fault.keyword == "pattern":
        return "lower-case letters, digits and '-', not first or last"
    return ""
