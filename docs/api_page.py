"""The page of the public API, and the stub for type checkers: from signatures and docstrings."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from textwrap import dedent

import wasmpack

_NAMES = {name: f"wasmpack.{home}" for name, home in wasmpack._HOMES.items()}
_WIDTH = 90
_ROLE = re.compile(r":(?:py:)?[a-z]+:`~?(?:[\w.]+\.)?(\w+)`")
_FIELD = re.compile(r"^:(param|raises) ([^:]+): ?", re.M)
_CONTINUED = re.compile(r"\n {4}")
Function = ast.FunctionDef


def api_page() -> str:
    """Functions first, then the values that they take and return, each by name."""
    functions = [name for name in _NAMES if isinstance(node_of(name), Function)]
    others = sorted(set(_NAMES) - set(functions))
    lines = ["# Python API\n", *text_of(importlib.import_module("wasmpack.api").__doc__ or "")]
    lines.append("\n## Functions\n")
    for name in sorted(functions):
        lines += function(name)
    lines.append("## Values\n")
    for name in others:
        lines += value(name)
    return "\n".join(lines).rstrip() + "\n"


def stub() -> str:
    """The stub in which type checkers find the public names."""
    rows = sorted((home, name) for name, home in _NAMES.items())
    lines = [f"from {home} import {name} as {name}" for home, name in rows]
    note = "# Written by docs/generate.py from the names in __init__.py; change those instead."
    return "\n".join([note, *lines, "", "__version__: str", "__all__: list[str]", ""])


@cache
def tree(home: str) -> ast.Module:
    """The source of a module."""
    return ast.parse(inspect.getsource(importlib.import_module(home)))


def node_of(name: str) -> ast.stmt:
    """The statement that defines a public name."""
    return next(node for node in tree(_NAMES[name]).body if defined(node) == name)


def defined(node: ast.stmt) -> str:
    """The name that a statement defines."""
    if isinstance(node, Function | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def function(name: str) -> Iterator[str]:
    """Heading, signature, text and examples."""
    node = node_of(name)
    assert isinstance(node, Function)
    yield f"### `{name}`\n"
    yield f"```python\n{signature(node)}\n```\n"
    yield from text_of(ast.get_docstring(node) or "")
    yield ""


def value(name: str) -> Iterator[str]:
    """A class with its fields and methods, or a type that has a name."""
    node = node_of(name)
    yield f"### `{name}`\n"
    if not isinstance(node, ast.ClassDef):
        yield f"```python\n{code(node)}\n```\n"
        yield from text_of(said_after(node, tree(_NAMES[name]).body))
        yield ""
        return
    bases = [base for base in map(ast.unparse, node.bases) if base in _NAMES or base == "StrEnum"]
    yield from text_of(ast.get_docstring(node) or "")
    if bases:
        yield f"\nA kind of {', '.join(f'`{base}`' for base in bases)}."
    if rows := [row for part in nodes_of(name) for row in members(part, name)]:
        yield "\n| member | meaning |\n|---|---|"
        yield from (f"| {cell(source)} | {first_line(text)} |" for source, text in rows)
    yield ""


def nodes_of(name: str) -> Iterator[ast.ClassDef]:
    """A class, and those of its bases that are not public themselves."""
    for kind in getattr(wasmpack, name).__mro__:
        ours = kind.__module__.startswith("wasmpack")
        if kind.__name__ == name or (ours and kind.__name__ not in _NAMES):
            body = tree(kind.__module__).body
            yield from (n for n in body if isinstance(n, ast.ClassDef) and n.name == kind.__name__)


def members(node: ast.ClassDef, owner: str) -> Iterator[tuple[str, str]]:
    """Fields, properties and methods, with what is said of them."""
    for part in node.body:
        name = defined(part)
        if isinstance(part, Function) and name == "__init__" and node.name == owner:
            yield signature(part, owner, width=0), ast.get_docstring(part) or ""
        if not name or name[0] == "_":
            continue
        if not isinstance(part, Function):
            yield field(part), said_after(part, node.body)
        elif any(map(is_property, part.decorator_list)):
            yield f"{name}: {annotation(part.returns)}", ast.get_docstring(part) or ""
        elif not any(ast.unparse(mark) == "overload" for mark in part.decorator_list):
            yield signature(part, width=0), ast.get_docstring(part) or ""


def is_property(decorator: ast.expr) -> bool:
    """The method is read as a field."""
    return ast.unparse(decorator) in {"property", "cached_property"}


def field(node: ast.stmt) -> str:
    """``name: type = default``; a default that is made is left out."""
    return re.sub(r" = field\(.*", " = …", code(node))


def said_after(node: ast.stmt, body: list[ast.stmt]) -> str:
    """The string that follows a definition."""
    after = body[body.index(node) + 1 :][:1]
    if after and isinstance(after[0], ast.Expr) and isinstance(after[0].value, ast.Constant):
        return inspect.cleandoc(str(after[0].value.value))
    return ""


def signature(node: Function, name: str = "", width: int = _WIDTH) -> str:
    """On one line, or a parameter a line where it gets long.

    :param name: of the class whose constructor it is
    :param width: 0 for any
    """
    words = list(parameters(node.args))
    returns = "" if name else f" -> {annotation(node.returns)}"
    line = f"{name or node.name}({', '.join(words)}){returns}"
    if not width or len(line) <= width:
        return line
    inside = "".join(f"    {word},\n" for word in words)
    return f"{name or node.name}(\n{inside}){returns}"


def parameters(given: ast.arguments) -> Iterator[str]:
    """Each with its type and default, without ``self``."""
    plain = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(plain) - len(given.defaults)), *given.defaults]
    rows = list(zip(plain, defaults, strict=True))
    yield from (parameter(*row) for row in rows if row[0].arg not in {"self", "cls"})
    if given.kwonlyargs:
        yield "*"
    yield from map(parameter, given.kwonlyargs, given.kw_defaults)


def parameter(argument: ast.arg, default: ast.expr | None) -> str:
    """``name: type = default``; a constant of ours is left out."""
    text = f"{argument.arg}: {annotation(argument.annotation)}"
    if default is None:
        return text
    return f"{text} = {'…' if isinstance(default, ast.Name) else code(default)}"


def annotation(node: ast.expr | None) -> str:
    """A type, without the quotes of one that is defined later."""
    return ast.unparse(node).replace("'", "") if node else ""


def code(node: ast.AST) -> str:
    """The source, in our style of quotes."""
    return ast.unparse(node).replace("'", '"')


def first_line(text: str) -> str:
    """The first paragraph, and the errors, on a line of a table."""
    lines = _CONTINUED.sub(" ", text).splitlines()
    first = text.partition("\n\n")[0].splitlines()
    raises = [f"{line}." for line in lines if line.startswith(":raises") and line not in first]
    line = " ".join(_FIELD.sub(told, "\n".join([*first, *raises])).splitlines())
    return markdown(line).replace("|", "\\|")


def cell(text: str) -> str:
    """Code in a table."""
    return f"`{text}`".replace("|", "\\|")


def text_of(docstring: str) -> Iterator[str]:
    """A docstring as Markdown, its examples as blocks of code."""
    for number, block in enumerate(dedent(docstring).strip().split("\n\n")):
        yield from [""] if number else []
        if block.startswith(">>>"):
            yield f"```python\n{block}\n```"
        else:
            yield markdown(_FIELD.sub(listed, _CONTINUED.sub(" ", block)))


def listed(found: re.Match[str]) -> str:
    """A parameter or an error, as an item of a list."""
    return f"- {told(found)}"


def told(found: re.Match[str]) -> str:
    """A parameter or an error."""
    kind, names = found.groups()
    shown = ", ".join(f"`{name}`" for name in names.split(", "))
    return f"raises {shown}: " if kind == "raises" else f"{shown}: "


def markdown(text: str) -> str:
    """Roles and literals of reStructuredText as code."""
    return _ROLE.sub(r"`\1`", text).replace("``", "`")
