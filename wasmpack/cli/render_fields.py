"""From the options of ``render wasmplugin`` to the fields of the resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.command import option
from wasmpack.cli.options import ANY_NAME
from wasmpack.errors import BadArtifact, WrongUsage
from wasmpack.oci.canonical import JsonObject, JsonValue

if TYPE_CHECKING:
    from wasmpack.kubeyaml.documents import Document
    from wasmpack.mesh.templates import Values

_MODES = ("CLIENT", "SERVER", "CLIENT_AND_SERVER")
_LAST_PORT = 65535
_SHOWN = 80
"""Characters of what was given that an error repeats."""


def _words(*words: str) -> click.Choice[str]:
    return click.Choice(words, case_sensitive=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOptions:
    """Fields of the resource that is rendered."""

    name: str | None = option("Name the resource. [default: the image's]", metavar="NAME")
    namespace: str | None = option("Set its namespace.", "-n", metavar="NS")
    selector: tuple[str, ...] = option(
        "Run it in workloads with these labels (repeatable).", "-l", metavar="KEY=VALUE,…"
    )
    target_refs: tuple[str, ...] = option(
        "Attach it to a Gateway, Service, … (repeatable).",
        "--target-ref",
        metavar="KIND/NAME",
    )
    phase: str | None = option(
        "Run it here in the filter chain. [default: before the router]",
        type=_words("AUTHN", "AUTHZ", "STATS"),
    )
    priority: int | None = option(
        "Run it before lower ones of its phase. [default: 0]", metavar="N"
    )
    plugin_name: str | None = option(
        "Set the root id. [default: the first in the image's runtime configuration]", metavar="NAME"
    )
    plugin_config: str | None = option(
        "Configure the plugin: YAML or JSON, a file or text.",
        metavar="FILE|YAML|JSON",
        type=ANY_NAME,
    )
    pull_policy: str | None = option(
        "Set when the mesh pulls again.", type=_words("IfNotPresent", "Always")
    )
    pull_secret: str | None = option(
        "Pull with this Secret: see wasmpack render secret.", metavar="NAME"
    )
    fail_strategy: str | None = option(
        "Set what a failing plugin does to traffic. [default: it stops]",
        type=_words("FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"),
    )
    type: str | None = option(
        "Set the kind of filter. [default: HTTP]", type=_words("HTTP", "NETWORK")
    )
    match: tuple[str, ...] = option(
        "Limit it to CLIENT (outbound) or SERVER traffic. [default: all]",
        metavar="[MODE][:PORT,…]",
    )
    env: tuple[str, ...] = option(
        "Set a variable, by default to the proxy's (repeatable).",
        metavar="NAME[=VALUE]",
    )
    sha256: str | None = option("Pin this digest; --pin looks it up.", metavar="HEX")

    def values(self, path: Path | None) -> Values:
        """The options over what the values file says.

        :raises BadArtifact: a file that cannot be read, or is not a mapping
        :raises WrongUsage: an option that cannot be read
        """
        from wasmpack.actions.inputs import read_file
        from wasmpack.mesh.templates import Values, read_values

        found = Values()
        if path is not None:
            document = _document(read_file(path), str(path))
            found = read_values(document) if document else found
        metadata = _given({"name": self.name or None, "namespace": self.namespace or None})
        return Values(
            metadata={**found.metadata, **metadata}, fields={**found.fields, **self._spec()}
        )

    def _spec(self) -> JsonObject:
        """Given values by their names in the API."""
        labels = [label(part) for text in self.selector for part in text.split(",")]
        if len(dict(labels)) < len(labels):
            raise WrongUsage("--selector: the same label is given more than once")
        found = _given(
            {
                "phase": self.phase,
                "priority": self.priority,
                "pluginName": self.plugin_name,
                "imagePullPolicy": self.pull_policy,
                "imagePullSecret": self.pull_secret,
                "failStrategy": self.fail_strategy,
                "type": self.type,
                "sha256": self.sha256,
                "selector": {"matchLabels": dict(labels)} if labels else None,
                "targetRefs": [target_ref(text) for text in self.target_refs] or None,
                "match": [match_rule(text) for text in self.match] or None,
                "vmConfig": {"env": variables(self.env)} if self.env else None,
            }
        )
        if self.plugin_config is not None:
            found["pluginConfig"] = configuration(self.plugin_config)
        return found


def _given(fields: JsonObject) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


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
    """``KIND/NAME``, ``GROUP/KIND/NAME`` or, as kubectl writes it, ``KIND.GROUP/NAME``."""
    from wasmpack.mesh.kinds import TARGET_GROUPS

    *before, kind, name = ["", *text.split("/")]
    kind, _, group = kind.partition(".")
    given = [group, *before[1:]] if group else before[1:]
    if not kind or not name or len(given) > 1:
        raise WrongUsage(
            f"--target-ref {text!r}: expected KIND/NAME or GROUP/KIND/NAME",
            hint="Gateway/my-gateway",
        )
    known = {word.lower(): word for word in TARGET_GROUPS}
    kind = known.get(kind.lower(), kind)
    group = given[0] if given else TARGET_GROUPS.get(kind, "")
    # the CRDs of Istio 1.23 and 1.24 refuse a Service whose empty group is not written out
    return {"group": group, "kind": kind, "name": name}


def match_rule(text: str) -> JsonObject:
    """``[MODE][:PORT,PORT…]``."""
    mode, colon, ports = text.partition(":")
    rule: JsonObject = {}
    if mode:
        if mode.upper() not in _MODES:
            hint = f"{', '.join(_MODES)}, each with :PORT,PORT if wanted"
            raise WrongUsage(f"--match {text!r}: invalid mode {mode}", hint=hint)
        rule["mode"] = mode.upper()
    if colon:
        rule["ports"] = [{"number": _port(port, text)} for port in ports.split(",")]
    if not rule:
        raise WrongUsage("--match is empty", hint="--match SERVER, --match CLIENT:8080")
    return rule


def variables(texts: Sequence[str]) -> list[JsonValue]:
    """Each variable once."""
    from wasmpack.actions.inputs import different

    found = [variable(text) for text in texts]
    return list(different((str(one["name"]), one) for one in found).values())


def variable(text: str) -> JsonObject:
    """``K=V``, or ``K`` for the value of the proxy's own environment."""
    name, equals, value = text.partition("=")
    if not name:
        raise WrongUsage(f"--env {text!r}: expected NAME=VALUE or NAME")
    if not equals:
        from wasmpack.actions.inputs import with_equals

        if written := with_equals(text):
            wanted = f"--env {text!r}: expected NAME=VALUE or NAME"
            raise WrongUsage(wanted, hint=f"--env {written}")
        return {"name": name, "valueFrom": "HOST"}
    return {"name": name, "value": value}


def configuration(text: str) -> JsonValue:
    """A file of YAML or JSON, or such text itself.

    :raises BadArtifact: neither YAML nor JSON, or several documents
    """
    from wasmpack.actions.inputs import read_given

    inline = ": " in text and not _exists(text) and text[:1] != "@"
    raw = text.encode() if inline else read_given(text, "--plugin-config")
    name = text if _exists(text) else "--plugin-config"
    document = _document(raw, name)
    if document is None:
        raise BadArtifact(f"{name}: expected one document, found 0")
    return document.value


def _document(raw: bytes, name: str) -> Document | None:
    """The document of a file; None if there is nothing in it."""
    from wasmpack.kubeyaml.reader import read_documents

    documents = read_documents(raw, name)
    if len(documents) > 1:
        raise BadArtifact(f"{name}: expected one document, found {len(documents)}")
    return documents[0] if documents else None


def _exists(text: str) -> bool:
    """True if it names a file; text that cannot be a name does not."""
    try:
        return bool(text) and Path(text).exists()
    except (OSError, ValueError):
        return False


def _port(text: str, whole: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise WrongUsage(f"--match {whole!r}: invalid port {text!r}")
    return int(text)
