"""The public names: pinned, documented, and closed over the types that they mention."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import wasmpack
from wasmpack.oci.canonical import JsonObject, JsonValue

pytestmark = pytest.mark.dependencies

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "api.md"
UNRESOLVED = {"JsonValue": JsonValue, "JsonObject": JsonObject}
"""Names of recursive types, which are annotated as text."""
PUBLIC = {name: getattr(wasmpack, name) for name in wasmpack._HOMES}
"""Modules load the types that only their annotations mention when somebody needs them."""


def test_the_public_names_are_these() -> None:
    """A name more or less is a decision: the page shows it, the changelog tells it."""
    shown = re.findall(r"^### `(\w+)`$", PAGE.read_text(), re.M)
    assert sorted([*shown, "__version__"]) == sorted(wasmpack.__all__)
    with pytest.raises(AttributeError):
        wasmpack.nothing  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    stub = ast.parse(Path(wasmpack.__file__).with_suffix(".pyi").read_text())
    imported = {
        alias.asname: node.module
        for node in ast.walk(stub)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {name: f"wasmpack.{home}" for name, home in wasmpack._HOMES.items()}


@pytest.mark.parametrize("name", [name for name in wasmpack.__all__ if name != "__version__"])
def test_each_is_documented_and_mentions_public_types_only(name: str) -> None:
    value = getattr(wasmpack, name)
    if isinstance(value, type) or inspect.isfunction(value):
        assert (value.__doc__ or "").strip()
        assert "(" not in (value.__doc__ or "")[: len(name) + 1], "a docstring that dataclass made"
    hidden = {
        f"{where}: {found.__name__}"
        for where, hint in mentioned(value)
        for found in types_in(hint)
        if found not in PUBLIC.values()
    }
    assert not hidden


def test_every_member_on_the_page_is_described() -> None:
    page = PAGE.read_text()
    values = page.partition("## Values")[2]
    bare = re.findall(r"^\| `([a-z]\w*[:(].*)` \|  \|$", values, re.M)
    assert not bare


def mentioned(value: object) -> Iterator[tuple[str, object]]:
    """Annotations of a function, or of a class's fields and methods."""
    if not isinstance(value, type):
        yield from hints(value).items()
        return
    yield from ((key, hint) for key, hint in hints(value).items() if key[0] != "_")
    bases = [base for base in value.__mro__ if base.__module__.startswith("wasmpack")]
    for name, member in (item for base in reversed(bases) for item in vars(base).items()):
        if name[0] == "_" and name != "__init__":
            continue
        function = unwrapped(member)
        if inspect.isfunction(function):
            shown = {key: hint for key, hint in hints(function).items() if key[0] != "_"}
            yield from ((f"{name}.{key}", hint) for key, hint in shown.items())


def unwrapped(member: object) -> object:
    if isinstance(member, property):
        return member.fget
    if isinstance(member, functools.cached_property):
        return member.func
    return member.__func__ if isinstance(member, classmethod | staticmethod) else member


def hints(value: object) -> Mapping[str, object]:
    if not (inspect.isfunction(value) or isinstance(value, type)):
        return {}
    return typing.get_type_hints(value, localns=UNRESOLVED | PUBLIC)


def types_in(hint: object) -> Iterator[type]:
    """Our own types in an annotation, however deep."""
    if isinstance(hint, type) and hint.__module__.startswith("wasmpack"):
        yield hint
    for part in typing.get_args(hint):
        for one in part if isinstance(part, list | tuple) else [part]:
            yield from types_in(one)


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, wasmpack; print(*(m for m in sys.modules if m.startswith('wasmpack')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"wasmpack", "wasmpack.version"}
