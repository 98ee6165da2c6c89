"""The one writer of YAML: what ``kubectl`` reads back is the value that was given.

>>> print(to_yaml({"a": "yes", "b": [1]}, {("b",): Comment(before=("why",))}), end="")
a: 'yes'
# why
b:
- 1

Block style, keys in the order of the mapping, two spaces, long lines unbroken, text quoted where
any reader would take it for something else, comments where they are asked for. Same value, same
bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from wasmpack.kubeyaml.documents import Comment, Comments, Document
from wasmpack.kubeyaml.reader import field_lines
from wasmpack.kubeyaml.scalars import reads_as_text
from wasmpack.oci.canonical import JsonValue, indented_json

_WIDTH = 1 << 20
"""Columns after which text would be folded: none."""


def is_plain(text: str) -> bool:
    """True if it may be shown as it is: it steers no terminal, and has no line breaks that readers
    of YAML 1.1 fold or rewrite."""
    return text.translate(_HARMLESS).isprintable()


_HARMLESS = dict.fromkeys(map(ord, "\n\t"))


def to_yaml(value: JsonValue, comments: Comments | None = None) -> str:
    """One document, with a line break at its end.

    Comments of fields that are not there are left out.
    """
    import yaml

    text = yaml.dump(
        value,
        Dumper=_dumper(),
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=_WIDTH,
    )
    return _commented(text, comments) if comments else text


def join_documents(texts: Sequence[str]) -> str:
    """A stream of documents, ``---`` between them."""
    return "---\n".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


@cache
def _dumper() -> type[Any]:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:
            return True

        def write_double_quoted(self, text: str, split: bool = True) -> None:
            """PyYAML escapes what its own reader refuses; what steers a terminal is more."""
            self.allow_unicode = is_plain(text)
            super().write_double_quoted(text, split)
            self.allow_unicode = True

    def text(dumper: Any, value: str) -> Any:
        style = None if reads_as_text(value) else "'"
        if "\n" in value:
            style = "|" if value.strip() else '"'
        if not is_plain(value):
            style = '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper


def _commented(text: str, comments: Comments) -> str:
    lines = text.split("\n")[:-1]
    places = field_lines(text)
    above: dict[int, list[str]] = {}
    for path, comment in comments.items():
        if path and path not in places:
            continue
        line = places[path] - 1 if path else 0
        indent = lines[line][: len(lines[line]) - len(lines[line].lstrip(" "))]
        before = comment.before
        if comment.after and path and lines[line].lstrip(" ").startswith("? "):
            before = (*before, comment.after)  # a key of several lines has no end to write behind
        elif comment.after and path:
            lines[line] += f"  {_comment('', comment.after)}"
        above.setdefault(line, []).extend(_comment(indent, words) for words in before)
    rows = [row for number, line in enumerate(lines) for row in (*above.get(number, []), line)]
    last = comments.get((), Comment()).after
    rows += [_comment("", words) for words in last.split("\n") if last]
    return "\n".join(rows) + "\n"


def _comment(indent: str, words: str) -> str:
    if not is_plain(words):
        words = "".join(c if is_plain(c) else ascii(c)[1:-1] for c in words)
    return f"{indent}# {words}".rstrip(" ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """One or several resources."""

    documents: tuple[Document, ...]
    """In the order in which they are printed."""

    def text(self, shape: str) -> str:
        """As ``yaml``, or as ``json``: one object, a ``List`` if there are several."""
        if shape == "yaml":
            return join_documents([to_yaml(d.value, d.comments) for d in self.documents])
        return indented_json(self.as_json()) + "\n"

    def as_json(self) -> JsonValue:
        """One resource as an object, several as a ``List``, which ``kubectl`` takes apart."""
        values: list[JsonValue] = [document.value for document in self.documents]
        if len(values) == 1:
            return values[0]
        return {"apiVersion": "v1", "kind": "List", "items": values}
