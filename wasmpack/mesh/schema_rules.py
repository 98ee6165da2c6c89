"""What the schema of the API has against a resource, in words that help.

Source: istio/api kubernetes/customresourcedefinitions.gen.yaml, as ``wasmplugin.schema.json``.
"""

import difflib
from collections.abc import Iterator

from wasmpack.findings import Problem, Rule, few
from wasmpack.kubeyaml.documents import FieldPath, cut, path_text, shortened
from wasmpack.mesh.plugin import Plugin, mapping
from wasmpack.oci.canonical import JsonValue
from wasmpack.schemas import SchemaFault, load_schema, schema_faults

BY_NO_SCHEMA = Rule(
    code="WPL001",
    title="not by the schema of the API",
    cause="a type, a value, a length, a required field",
    consumer="the API server",
    fix="as the message says",
)
UNKNOWN_FIELD = Rule(
    code="WPL002",
    title="a field that no release knows",
    cause="often a matter of spelling",
    consumer="refused, or silently dropped",
    fix="the hint names the field that may be meant",
)


def schema_problems(plugin: Plugin) -> Iterator[Problem]:
    """Types, enumerations, lengths, required and unknown fields."""
    unknown: list[SchemaFault] = []
    others: list[SchemaFault] = []
    for fault in schema_faults("wasmplugin", plugin.value, plugin.kind):
        extra = fault.keyword == "additionalProperties" and fault.expected is False
        (unknown if extra else others).append(fault)

    def problem(fault: SchemaFault) -> Problem:
        message = f"the API server refuses it: {_words(fault)}"
        return plugin.problem(BY_NO_SCHEMA, fault.path, message, _schema_hint(fault))

    def unknown_field(found: tuple[FieldPath, str]) -> Problem:
        path, key = found
        hint = _where_it_belongs(plugin.kind, path, key)
        message = (
            f"no release knows {path_text((*path, cut(key)))}: it is refused, or dropped silently"
        )
        return plugin.problem(UNKNOWN_FIELD, (*path, key), message, hint)

    yield from few(others, problem)
    yield from few((row for fault in unknown for row in _unknown(plugin, fault)), unknown_field)


def _unknown(plugin: Plugin, fault: SchemaFault) -> Iterator[tuple[FieldPath, str]]:
    """Each key that no release has, with its place."""
    value: JsonValue = plugin.value
    for step in fault.path:
        value = value[step]  # type: ignore[index]
    known = _known_keys(plugin.kind, fault.path)
    return ((fault.path, key) for key in mapping(value) if key not in known)


def _where_it_belongs(kind: str, path: FieldPath, key: str) -> str:
    known = _known_keys(kind, path)
    near = difflib.get_close_matches(cut(key).lower(), [word.lower() for word in known], 1)
    meant = [word for word in known if near and word.lower() == near[0]]
    if meant:
        return f"did you mean {meant[0]}?"
    if path == () and key in _known_keys(kind, ("spec",)):
        return "indent it: it belongs under spec"
    if path[-1:] == ("selector",):
        return "labels stand under selector.matchLabels"
    return "leave it out"


def _known_keys(kind: str, path: FieldPath) -> list[str]:
    schema = load_schema("wasmplugin")
    here = schema["$defs"][kind]
    for step in path:
        here = here["items"] if isinstance(step, int) else here["properties"][step]
        while "$ref" in here:
            here = schema["$defs"][here["$ref"].rpartition("/")[2]]
    return list(here.get("properties", {}))


def _words(fault: SchemaFault) -> str:
    if fault.keyword == "enum":
        return f"{shortened(fault.value)} is none of {', '.join(fault.expected)}"
    if fault.path[-1:] == ("sha256",):
        return "sha256 field must match [a-f0-9]{64} pattern"
    if fault.keyword == "type":
        kinds = fault.expected if isinstance(fault.expected, list) else [fault.expected]
        return f"expected {' or '.join(kinds)}, found {_KINDS[type(fault.value)]}"
    if fault.keyword == "pattern":
        return f"{shortened(fault.value)} has characters that must not be there"
    if fault.keyword == "maxLength":
        return f"longer than {fault.expected} characters"
    if fault.keyword == "minLength":
        return "it is empty"
    if fault.keyword in {"maxItems", "maxProperties"}:
        return f"more than {fault.expected} of them"
    if fault.keyword in {"minItems", "minProperties"}:
        return f"fewer than {fault.expected} of them"
    return fault.message


_KINDS = {
    dict: "a mapping",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "nothing",
}


def _schema_hint(fault: SchemaFault) -> str:
    if fault.path[-1:] == ("sha256",):
        return "64 lower-case hexadecimal digits, without 'sha256:': wasmpack digest IMAGE"
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
    if fault.path[-1:] in {("name",), ("namespace",)} and fault.keyword == "pattern":
        return "lower-case letters, digits and '-', not first or last"
    return ""
