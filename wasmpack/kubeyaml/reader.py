"""YAML and JSON as ``kubectl apply -f`` reads them.

>>> (document,) = read_documents(b"kind: WasmPlugin  # ours\\nspec: {url: x}", "a.yaml")
>>> document.value
{'kind': 'WasmPlugin', 'spec': {'url': 'x'}}

Many documents in one stream; JSON as the subset of YAML that it is. Errors name file, line, column
and reason. Aliases are expanded, within bounds: a document that is nested or multiplied beyond them
is refused.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.documents import Document, FieldPath, cut
from wasmpack.kubeyaml.marks import MOST, Comments, Part, Parts, placed
from wasmpack.kubeyaml.scalars import PlainText, resolve
from wasmpack.kubeyaml.values import MAX_BYTES, Counts, TooMuch, ValueReader
from wasmpack.oci.canonical import JsonValue, parse_json

__all__ = ["MAX_BYTES", "Counts", "TooMuch", "field_lines", "read_counted", "read_documents"]
_MAX_DIRECTIVES = 100
"""Most ``%TAG`` directives of one stream: each is compared with all before it."""
_DIRECTIVE = (
    "a directive: kubectl splits the stream at each ---, and refuses the part that holds it alone"
)
_DASHES = 3
_TEMPLATE = re.compile(r"[#'\"]|(?:: +|^ *)(?P<open>\{\{)")
"""In a line: what rules a template out, or the beginning of one."""
_CANDIDATES = 10_000
"""Lines that are searched for a template: it only makes a better message."""


def read_documents(raw: bytes, source: str) -> tuple[Document, ...]:
    """Every document of a stream that is not empty.

    >>> (document,) = wasmpack.read_documents(b"spec:\\n  url: x", "a.yaml")
    >>> document.where(("spec", "url")), document.value
    ('a.yaml:2 spec.url', {'spec': {'url': 'x'}})

    :param source: names the stream in errors and places
    :raises BadArtifact: with file, line, column and reason
    """
    return read_counted(raw, source, Counts())


def read_counted(raw: bytes, source: str, counts: Counts) -> tuple[Document, ...]:
    """As :func:`read_documents`, of one of several streams.

    :param counts: of the streams that were read before and are kept with this one
    :raises TooMuch: this stream, and those before it, are beyond a bound
    """
    text = _text(raw, source, counts)
    if text.lstrip()[:1] not in {"{", "["}:
        return _Stream(text, source, counts).documents()
    try:
        value = parse_json(raw, source)
    except BadArtifact:  # YAML in flow style, or the place of the fault
        return _Stream(text, source, counts).documents()
    try:  # for the lines alone: a tab is white space in JSON, and no indentation in YAML
        (document,) = _Stream(text.replace("\t", " "), source, counts).documents()
    except TooMuch:
        raise
    except (BadArtifact, ValueError):
        counts.values += raw.count(b",") + raw.count(b":")
        _check(counts, source)
        return (Document(source=source, value=value, text=text),)
    return (replace(document, value=value, text=text),)


def read_unresolved(raw: bytes, source: str) -> tuple[Document, ...]:
    """As :func:`read_documents`, with plain scalars as the text that they are.

    For whoever decodes into fields of a type, as go-yaml does: ``1.10`` is the text of a version
    and the number of a priority. In quotes a scalar is a string, plain it is :class:`PlainText`.
    """
    counts = Counts()
    return _Stream(_text(raw, source, counts), source, counts, PlainText).documents()


def field_lines(text: str) -> Mapping[FieldPath, int]:
    """The line (from 1) on which each field of the first document begins.

    :param text: YAML with line feeds alone
    """
    documents = _Stream(text, "", Counts()).documents()
    return documents[0].lines if documents else {}


class _Stream:
    """A parser's events, one after the other, and what is made of them on the way.

    libyaml takes time for each level of nesting at each event, so it is never asked for more than
    one event beyond what is within bounds.
    """

    def __init__(
        self, text: str, source: str, counts: Counts, plain: Callable[[str], JsonValue] = resolve
    ) -> None:
        """:param plain: makes the value of a plain scalar"""
        import yaml

        self._yaml = yaml
        self._text = text
        self._source = source
        self._counts = counts
        self._plain = plain
        self._comments = Comments(text)
        self._parts = Parts(text)
        self._events: Iterator[Any] = iter(())

    def documents(self) -> tuple[Document, ...]:
        """All of them.

        :raises BadArtifact: with line, column and reason
        """
        yaml = self._yaml
        self._check_directives()
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events = iter(yaml.parse(self._text, Loader=loader))
        try:
            return self._all()
        except yaml.MarkedYAMLError as error:
            self._refuse_templates()
            mark = error.problem_mark
            if mark is None or (mark.index >= len(self._text) and error.context_mark):
                mark = error.context_mark
            self.refuse(mark, _reason(error, self._text, mark))
        except yaml.reader.ReaderError as error:
            line = self._text.count("\n", 0, error.position) + 1
            reason = f"a control character: {error.reason}"
            raise BadArtifact(f"{self._source}:{line}: {reason}") from error

    def next(self) -> Any:
        """The event that follows."""
        event = next(self._events)
        start, end = event.start_mark.index, event.end_mark
        if isinstance(event, self._yaml.DocumentStartEvent) and event.explicit:
            start = end.index - _DASHES  # directives are before it, and comments between them
        elif isinstance(event, self._yaml.CollectionStartEvent) and (event.anchor or event.tag):
            end = event.start_mark  # a comment may be behind the anchor
        self._comments.pass_over(start, end)
        if len(self._comments.found) > MOST:
            self.refuse(event.start_mark, f"more than {MOST} comments")
        return event

    def refuse(self, mark: Any, reason: str) -> NoReturn:
        """Give up at a place."""
        raise BadArtifact(f"{self._place(mark)}: {reason}")

    def refuse_excess(self, mark: Any, reason: str) -> NoReturn:
        """Give up, and on all that would follow."""
        raise TooMuch(f"{self._place(mark)}: {reason}")

    def refuse_key(self, mark: Any) -> NoReturn:
        """Give up at a key that is not text, for which a template may be to blame."""
        self._refuse_templates()
        self.refuse(mark, "a key must be a string")

    def _place(self, mark: Any) -> str:
        return f"{self._source}:{mark.line + 1}:{mark.column + 1}" if mark else self._source

    def _all(self) -> tuple[Document, ...]:
        reader = ValueReader(self, self._counts, self._plain)
        found: list[tuple[JsonValue, int, dict[FieldPath, int]]] = []
        self.next()
        while not isinstance(event := self.next(), self._yaml.StreamEndEvent):
            if event.version or event.tags:
                self.refuse(event.start_mark, _DIRECTIVE)
            self._parts.start(explicit=event.explicit, end=event.end_mark)
            root = self.next()
            found.append((reader.read(root), root.start_mark.line + 1, reader.lines))
            end = self.next()
            self._parts.end(explicit=end.explicit, start=end.start_mark, end=end.end_mark)
        self._parts.finish()
        commented = sorted(self._comments.found)
        return tuple(
            self._document(value, line, lines, part, commented)
            for (value, line, lines), part in zip(found, self._parts.found, strict=True)
            if value is not None
        )

    def _document(
        self,
        value: JsonValue,
        line: int,
        lines: dict[FieldPath, int],
        part: Part,
        commented: list[int],
    ) -> Document:
        """A document, and what stands around it.

        :param commented: the lines (from 0) of the stream that have comments
        """
        own = slice(*(bisect_left(commented, line) for line in (part.first, part.until)))
        return Document(
            source=self._source,
            value=value,
            text=part.text,
            line=line,
            lines=lines,
            comments=placed({at: self._comments.found[at] for at in commented[own]}, lines),
        )

    def _check_directives(self) -> None:
        at = -1
        for _ in range(_MAX_DIRECTIVES):
            at = self._text.find("\n%TAG", at + 1)
            if at < 0:
                return
        line = self._text.count("\n", 0, at) + 2
        raise BadArtifact(f"{self._source}:{line}: more than {_MAX_DIRECTIVES} %TAG directives")

    def _refuse_templates(self) -> None:
        """``{{ … }}`` in a plain scalar is a mapping as a key to YAML, and a template to people."""
        at = self._text.find("{{")
        for _ in range(_CANDIDATES):
            if at < 0:
                return
            start = self._text.rfind("\n", 0, at) + 1
            end = self._text.find("\n", at)
            line = self._text[start:end] if end >= 0 else self._text[start:]
            if template := _template(line):
                number = self._text.count("\n", 0, start) + 1
                raise BadArtifact(
                    f"{self._source}:{number}: {cut(template)} is a template, not YAML yet",
                    hint="render it first: helm template CHART | wasmpack validate wasmplugin -",
                )
            at = self._text.find("{{", end) if end >= 0 else -1


def _template(line: str) -> str | None:
    """The first template that is a value, or all of the line."""
    for found in _TEMPLATE.finditer(line):
        if found["open"] is None:
            return None
        start = found.start("open")
        end = line.find("}}", start)
        return line[start : end + 2] if end >= 0 else None
    return None


def _check(counts: Counts, source: str) -> None:
    if counts.excess:
        raise TooMuch(f"{source}: {counts.excess}")


def _text(raw: bytes, source: str, counts: Counts) -> str:
    """The stream as text with line feeds alone, once its size is counted."""
    counts.size += len(raw)
    _check(counts, source)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadArtifact(f"{source}:{line}: not UTF-8 text") from error
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")


def _reason(error: Any, text: str, mark: Any) -> str:
    if mark and text[mark.index : mark.index + 1] == "\t":
        return "a tab: YAML is indented with spaces"
    return ": ".join(part for part in (error.context, error.problem) if part) or "not YAML"
