"""Resources that are not finished yet: patches of Kustomize, templates with placeholders.

>>> document = Document(source="a.yaml", value={"spec": {"url": "oci://${REGISTRY}/p:v1"}})
>>> [problem.message for problem in unrendered_problems(document, patch_of=None)]
["'${REGISTRY}' is a placeholder: this is a template, not yet a resource"]
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import PurePath

from wasmpack.findings import Problem, Rule, few
from wasmpack.kubeyaml.documents import Document, FieldPath, shortened
from wasmpack.mesh.mappings import mapping
from wasmpack.oci.canonical import JsonValue

UNRENDERED = Rule(
    code="WPL024",
    title="a patch or a template, which is not a resource yet",
    cause="a Kustomize patch without a URL, or a placeholder: `{{ }}`, `${VAR}`, `$VAR`, `$(VAR)`, "
    "`<X>`, `__X__`, `@X@`, `#{X}#`, outside of the plugin's own configuration",
    consumer="the API server, or the mesh",
    example="url: oci://quay.io/me/plugin:${TAG}",
    fix="render it first",
)
_PLACEHOLDER = re.compile(
    r"\{\{[^{}]{0,200}\}\}|\$\{[A-Za-z_][^{}]{0,100}\}|\$\([A-Za-z_][\w.-]{0,100}\)"
    r"|<[A-Za-z][\w. -]{0,100}>|__[A-Za-z][A-Za-z0-9_]{0,100}?__"
    r"|\$[A-Z_][A-Z0-9_]{0,100}|@[A-Z_][A-Z0-9_.]{0,100}@|#\{[A-Za-z_][^{}]{0,100}\}#"
)
"""Not ``%X%``: Envoy's formats are written so."""
_FREE = {"pluginConfig", "defaultConfig", "config", "configuration", "annotations", "lua", "status"}
"""Fields whose text may hold anything."""
_PIPE = "wasmpack validate wasmplugin -"


def unrendered_problems(document: Document, *, patch_of: str | None) -> Iterator[Problem]:
    """Why a document has to be rendered first.

    :param patch_of: the directory with a kustomization that it is in
    """
    found = _placeholders(document.value, ())

    def problem(row: tuple[FieldPath, str]) -> Problem:
        path, text = row
        message = f"{shortened(text)} is a placeholder: this is a template, not yet a resource"
        return UNRENDERED.problem(document.where(path), message, _command(text, document.source))

    yield from few(found, problem)
    if patch_of is not None and _is_patch(document):
        message = "a patch of Kustomize: it is part of a resource, which has the URL"
        hint = f"kubectl kustomize {shlex.quote(patch_of)} | {_PIPE}"
        yield UNRENDERED.problem(document.where(), message, hint)


def _is_patch(document: Document) -> bool:
    value = mapping(document.value)
    spec = mapping(value.get("spec"))
    carried = ("url", "wasm", "lua", "configPatches")
    return value.get("$patch") is not None or not any(name in spec for name in carried)


def _placeholders(value: JsonValue, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    """The first placeholder of each text; values of variables may hold anything too."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in _FREE and (*path, key)[-4:-2] != ("vmConfig", "env"):
                yield from _placeholders(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _placeholders(item, (*path, number))
    elif isinstance(value, str) and (found := _PLACEHOLDER.search(value)):
        yield path, found[0]


def _command(text: str, source: str) -> str:
    """Return the command that renders a placeholder of this form."""
    file = shlex.quote(source) if source and source != "<stdin>" else "FILE"
    if text.startswith("{{"):
        return f"render it first: helm template CHART | {_PIPE}"
    if text[:1] == "$" and text[:2] != "$(":
        return f"render it first: envsubst < {file} | {_PIPE}"
    if text.startswith("$("):
        directory = shlex.quote(str(PurePath(source).parent)) if file != "FILE" else "DIR"
        return f"render it first: kubectl kustomize {directory} | {_PIPE}"
    return f"render it first: sed 's|{text}|VALUE|' {file} | {_PIPE}"
