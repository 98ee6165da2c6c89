"""From the options of ``render wasmplugin`` to the fields of the resource."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasmpack.errors import WrongUsage
from wasmpack.oci.canonical import JsonObject, JsonValue

if TYPE_CHECKING:
    from wasmpack.mesh.templates import Values

_MODES = ("CLIENT", "SERVER", "CLIENT_AND_SERVER")
_LAST_PORT = 65535
_SHOWN = 80
"""Characters of what was given that an error repeats."""


def fields_of(
    *,
    selector: Sequence[str],
    target_refs: Sequence[str],
    match: Sequence[str],
    env: Sequence[str],
    plugin_config: str | None,
    **plain: Any,
) -> JsonObject:
    """What was given, by the names of the API; what was not given is not there.

    :raises WrongUsage: an option that cannot be read
    """
    found: JsonObject = {key: value for key, value in plain.items() if value is not None}
    if selector:
        labels = [label(part) for text in selector for part in text.split(",")]
        if len(dict(labels)) < len(labels):
            raise WrongUsage("--selector: the same label is given more than once")
        found["selector"] = {"matchLabels": dict(labels)}
    if target_refs:
        found["targetRefs"] = [target_ref(text) for text in target_refs]
    if match:
        found["match"] = [match_rule(text) for text in match]
    if env:
        found["vmConfig"] = {"env": [variable(text) for text in env]}
    if plugin_config is not None:
        found["pluginConfig"] = configuration(plugin_config)
    return found


def label(text: str) -> tuple[str, str]:
    """``K=V`` or, as kubectl takes it too, ``K==V``."""
    key, equals, value = text.strip().partition("=")
    value = value.removeprefix("=")
    if not equals or not key or key.endswith("!"):
        raise WrongUsage(
            f"--selector {text[:_SHOWN]!r}: expected LABEL=VALUE",
            hint="a WasmPlugin selects by equal labels alone: -l app=web,version=v1",
        )
    return key, value


def target_ref(text: str) -> JsonObject:
    """``KIND/NAME`` or, as kubectl writes it, ``KIND.GROUP/NAME``."""
    from wasmpack.mesh.kinds import TARGET_GROUPS

    kind, slash, name = text.partition("/")
    kind, _, group = kind.partition(".")
    if not slash or not kind or not name:
        raise WrongUsage(f"--target-ref {text!r}: expected KIND/NAME", hint="Gateway/my-gateway")
    known = {word.lower(): word for word in TARGET_GROUPS}
    kind = known.get(kind.lower(), kind)
    group = group or TARGET_GROUPS.get(kind, "")
    # the CRDs of Istio 1.23 and 1.24 refuse a Service whose empty group is not written out
    return {"group": group, "kind": kind, "name": name}


def match_rule(text: str) -> JsonObject:
    """``[MODE][:PORT,PORT…]``."""
    mode, colon, ports = text.partition(":")
    rule: JsonObject = {}
    if mode:
        if mode.upper() not in _MODES:
            hint = f"{', '.join(_MODES)}, each with :PORT,PORT if wanted"
            raise WrongUsage(f"--match {text!r}: {mode} is no mode", hint=hint)
        rule["mode"] = mode.upper()
    if colon:
        rule["ports"] = [{"number": _port(port, text)} for port in ports.split(",")]
    if not rule:
        raise WrongUsage("--match is empty", hint="--match SERVER, --match CLIENT:8080")
    return rule


def variable(text: str) -> JsonObject:
    """``K=V``, or ``K`` for the value of the proxy's own environment."""
    name, equals, value = text.partition("=")
    if not name:
        raise WrongUsage(f"--env {text!r}: expected NAME=VALUE or NAME")
    if not equals:
        return {"name": name, "valueFrom": "HOST"}
    return {"name": name, "value": value}


def configuration(text: str) -> JsonValue:
    """A file of YAML or JSON, or such text itself.

    :raises BadArtifact: neither YAML nor JSON, or several documents
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.errors import BadArtifact, NotFound
    from wasmpack.kubeyaml.reader import read_documents

    there = _exists(text)
    inline = text.lstrip()[:1] == "{" or (": " in text and not there)
    if not inline and not there:
        named = f"--plugin-config {text[:_SHOWN]!r}: no such file"
        raise NotFound(named, hint='as text it is a mapping: {"key": …}')
    name = "--plugin-config" if inline else text
    documents = read_documents(text.encode() if inline else read_file(Path(text)), name)
    if len(documents) != 1:
        raise BadArtifact(f"{name}: expected one document, found {len(documents)}")
    return documents[0].value


def _exists(text: str) -> bool:
    """Whether it names a file; text that cannot be a name does not."""
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False


def _port(text: str, whole: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise WrongUsage(f"--match {whole!r}: {text!r} is no port")
    return int(text)


def values_of(
    path: Path | None, name: str | None, namespace: str | None, fields: JsonObject
) -> Values:
    """The options over what the values file says.

    :raises BadArtifact: a file that cannot be read, or is no mapping
    """
    from wasmpack.actions.inputs import read_file
    from wasmpack.errors import BadArtifact
    from wasmpack.kubeyaml.reader import read_documents
    from wasmpack.mesh.templates import Values, read_values

    found = Values()
    if path is not None:
        documents = read_documents(read_file(path), str(path))
        if len(documents) > 1:
            raise BadArtifact(f"{path}: expected one document, found {len(documents)}")
        found = read_values(documents[0]) if documents else found
    given: JsonObject = {"name": name, "namespace": namespace}
    return Values(
        metadata={**found.metadata, **{key: value for key, value in given.items() if value}},
        fields={**found.fields, **fields},
    )
