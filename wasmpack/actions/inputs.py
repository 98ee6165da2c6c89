"""Reading the files a user names: modules, configurations, annotations."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.files.inputs import MAX_CONFIGURATION, read_named, read_standard_input
from wasmpack.oci.budget import LIMIT
from wasmpack.oci.canonical import parse_json_object
from wasmpack.oci.place import could_be_name, is_there
from wasmpack.oci.reference import URL_JUDGED, Reference, is_url, url_shown
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.wasm.cursor import MAGIC

T = TypeVar("T")
STDIN = "-"
RESOURCE_SUFFIXES = (".yaml", ".yml", ".json")
"""Of files with Kubernetes resources."""
_INLINE = ("{", "[", '"')
"""Beginnings of a JSON text that is not a name of a file."""
_OTHER_SIGN = re.compile(r"(?<=\w)(?:: *| +)(?=\S)")
"""Between a name and its value instead of an equals sign, as in YAML."""
_SHOWN = 80
"""Characters of what was given that an error repeats."""


def read_module_file(name: str) -> PluginModule:
    """Read ``.wasm`` or ``.wat``; ``-`` is standard input.

    The suffix decides whether text is compiled, on standard input the magic number does: text in a
    ``.wasm`` file is a bad artifact, as it is for a proxy.

    :raises NotFound: no such file
    :raises WrongUsage: a URL
    :raises BadArtifact: invalid WebAssembly text
    """
    if name == STDIN:
        return module_in(read_standard_input(LIMIT), "<stdin>")
    if is_url(name):
        url = url_shown(name)
        hint = f"curl -fLO {url}; {URL_JUDGED}"
        raise WrongUsage(f"{url}: a URL, expected a file", hint=hint)
    path = Path(name)
    try:
        data = read_file(path, LIMIT)
    except NotFound as error:
        raise NotFound(error.message, hint=_image_hint(name)) from error
    if path.suffix == ".wat":
        from wasmpack.dry_run.sandbox import compile_text

        data = compile_text(data, name)
    return PluginModule(data, name, path=path)


def _image_hint(name: str) -> str:
    """For a file that does not exist, and whose name is that of an image."""
    if not could_be_name(name) or not Reference.parse(name).names_registry:
        return ""
    return f"if an image is meant: wasmpack inspect {name}"


def module_in(data: bytes, name: str) -> PluginModule:
    """The module in bytes that have no suffix: the magic decides whether they are text.

    :raises BadArtifact: text that is not WebAssembly text
    """
    if data[:4] != MAGIC and b"(" in data[:4096]:
        from wasmpack.dry_run.sandbox import compile_text

        data = compile_text(data, name)
    return PluginModule(data, name)


def read_file(path: Path, limit: int = MAX_CONFIGURATION) -> bytes:
    """The bytes of a file the user named, or of standard input for ``-``.

    :raises NotFound: no such file
    :raises WasmpackError: it cannot be read
    """
    if str(path) == STDIN:
        return read_standard_input(limit)
    return read_named(path, limit)


def read_given(text: str, option: str) -> bytes:
    """The bytes that an option means: of a file, ``@FILE``, ``-``, or JSON as it stands.

    :raises NotFound: no such file, and not JSON
    :raises WrongUsage: empty
    """
    if not text:
        raise WrongUsage(f"{option} is empty", hint=f"{option} /dev/null, if that is meant")
    if text.startswith("@"):
        return read_file(Path(text[1:]))
    if text == STDIN or is_there(Path(text).exists):
        return read_file(Path(text))
    if text.lstrip()[:1] in _INLINE:
        return text.encode()
    raise NotFound(
        f"{option} {text[:_SHOWN]!r}: no such file",
        hint=f"{option} FILE, or JSON as it stands: {option} '{{\"key\": 1}}'",
    )


def parse_annotation(text: str) -> tuple[str, str]:
    """``K=V``.

    :raises WrongUsage: no ``=``, or an empty key
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise WrongUsage(f"annotation {text!r}: expected KEY=VALUE")
    if not text.isascii() and text.encode(errors="replace") != text.encode(errors="ignore"):
        raise WrongUsage(f"annotation {text!r}: not UTF-8")
    return key.strip(), value


def parse_variable(text: str) -> tuple[str, str]:
    """``NAME=VALUE``; the value may be a secret, and is not repeated.

    :raises WrongUsage: no ``=``, or an empty name
    """
    name, equals, value = text.partition("=")
    if not name:
        raise WrongUsage("--env: empty name of a variable", hint="--env NAME=VALUE")
    if not equals:
        written = with_equals(text) or f"{text}=VALUE"
        raise WrongUsage(f"--env {text!r}: expected NAME=VALUE", hint=f"--env {written}")
    return name, value


def with_equals(text: str) -> str:
    """A name and a value with an equals sign between them; empty if there is no value."""
    return _OTHER_SIGN.sub("=", text, 1) if _OTHER_SIGN.search(text) else ""


def different(variables: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Variables by their names; the values may be secrets, and are not repeated.

    :raises WrongUsage: a name with two values, which a resource refuses too
    """
    found: dict[str, T] = {}
    for name, value in variables:
        if found.setdefault(name, value) != value:
            raise WrongUsage(
                f"--env {name}: given twice, with different values", hint="keep one of them"
            )
    return found


def read_annotations(path: Path) -> dict[str, str]:
    """A JSON object of strings, or that object under ``$manifest`` (the form of ``oras``).

    :raises BadArtifact: anything else
    """
    value = parse_json_object(read_file(path), str(path))
    inner = value.get("$manifest", value)
    if not isinstance(inner, dict):
        raise BadArtifact(f"{path}: $manifest: expected an object")
    found = {}
    for key, text in inner.items():
        if not isinstance(text, str):
            raise BadArtifact(f"{path}: {key}: expected a string")
        found[key] = text
    return found
