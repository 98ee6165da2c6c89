"""YAML in and out: places, comments, bounds; and that nothing changes on the way."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.peak import watched

from wasmpack.actions.migrate import documents_text
from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.documents import Comment, FieldPath
from wasmpack.kubeyaml.reader import MAX_BYTES, TooMuch, read_documents, read_unresolved
from wasmpack.kubeyaml.writer import is_plain, join_documents, to_yaml
from wasmpack.mesh.templates import fill
from wasmpack.oci.canonical import JsonValue

pytestmark = pytest.mark.dependencies

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8)
)
REFUSED = [
    (
        "duplicate key",
        "a: 1\nb: 2\na: 3",
        "f:3:1: duplicate key 'a', first in line 1: kubectl would",
    ),
    ("duplicate by meaning", "on: 1\ntrue: 2", "f:2:1: duplicate key 'true'"),
    ("tab", "a:\n\tb: 1", "f:2:1: a tab: YAML is indented with spaces"),
    ("open list", "a: [1, 2", "f:1"),
    ("two colons", "a: b: c", "f:1:5: mapping values are not allowed"),
    ("undefined alias", "a: 1\nb: *x", "f:2:4: found undefined alias 'x'"),
    ("alias of another document", "a: &x 1\n---\nb: *x", "f:3:4: found undefined alias"),
    ("alias as a key", "a: &x [1]\n*x : 1", "f:2:1: a key must be a string"),
    ("long key, twice", f"? {'k' * 5000}\n: 1\n? {'k' * 5000}\n: 1", "f:3:3: duplicate key 'kkkk"),
    (
        "alias that is too deep",
        f"a: &x {'[' * 60}{']' * 60}\nb: {'[' * 60}*x{']' * 60}",
        "f:2:64: nested more than 100 deep",
    ),
    ("merge of itself", "a: &x {<<: *x}", "f:1:4: an anchor whose value contains itself"),
    (
        "large text, repeated",
        f"a: &x {'x' * (1 << 20)}\nb:\n" + "- *x\n" * 50_000,
        "f:65:3: more than 64 MiB, aliases expanded",
    ),
    (
        "large key, repeated",
        f"a: &x {'x' * (1 << 20)}\nb:\n" + "- {*x : 1}\n" * 50_000,
        "f:65:4: more than 64 MiB, aliases expanded",
    ),
    (
        "mappings that are merged again and again",
        "a: &x {" + ",".join(f"k{n}: 1" for n in range(1000)) + "}\nb:\n" + "  <<: *x\n" * 10_000,
        "f:1000:7: more than 1000000 values",
    ),
    (
        "many values far down",
        "".join(f"{' ' * n}a:\n" for n in range(98)) + f"{' ' * 98}- a\n" * 105_000,
        "too many values that are nested deeply",
    ),
    ("many comments", "a: 1\n" + "#\n" * 200_001, "f:200003:1: more than 200000 comments"),
    (
        "directive",
        "%YAML 1.2\n---\na: 1",
        "f:1:1: a directive: kubectl splits the stream at each ---",
    ),
    ("tag directive", "a: 1\n...\n%TAG !a! x\n---\nb: 1", "f:3:1: a directive"),
    ("many directives", "%TAG !a! x\n" * 101, "f:101: more than 100 %TAG directives"),
    ("python collection as a key", "? !!python/tuple [a]\n: 1", "f:1:3: a key must be a string"),
    ("timestamp", "a: !!timestamp 2024-99-99", "f:1:4: the tag"),
    ("long tag", f"a: !{'x' * 5000} y", "f:1:4: the tag !xxxx"),
    ("integer that is none", f"a: !!int {'9' * 5000}", "f:1:4: the tag"),
    ("endless alias", "a: &x [*x]", "f:1:4: an anchor whose value contains itself"),
    ("bomb", BOMB, "more than 1000000 values, aliases expanded"),
    ("python object", "a: !!python/object:os.system x", "f:1:4: the tag"),
    ("unknown tag", "a: !secret x", "f:1:4: the tag !secret has no meaning here"),
    ("binary that is none", "a: !!binary '**'", "f:1:4: !!binary whose content is not base64"),
    ("wrong tag", "a: !!int x", "f:1:4: the tag"),
    ("not a number", "a: .nan", "f:1:4: .nan has no form in JSON"),
    ("infinite", "a: -.inf", "f:1:4: -.inf has no form in JSON"),
    ("list as key", "? [a]\n: 1", "f:1:3: a key must be a string"),
    ("null as key", "~: 1", "f:1:1: a key must be a string"),
    ("merge of text", "<<: x", "f:1:5: << merges mappings only"),
    ("control character", "a: 1\nb: \0", "f:2: a control character"),
    ("deep flow", "[" * 100_000, "f:1:"),
    ("deep block", "- " * 300, "nested more than 100 deep"),
    ("deep block, past any stack", "- " * 1_000_000, "f:1:203: nested more than 100 deep"),
    ("deep mappings", "{a: " * 100_000, "f:1:405: nested more than 100 deep"),
    ("deep JSON", "[" * 500 + "]" * 500, "f:1:102: nested more than 100 deep"),
    ("deep keys", "? " * 100_000, "f:1:3: a key must be a string"),
    ("Helm template", "a: 1\nb: {{ .Values.x }}", "f:2: {{ .Values.x }} is a template"),
    ("JSON, cut off", '{"a": [1,', "f:2:1"),
    ("JSON, lone surrogate", '{"a": "\\ud800"}', "f:1:10: while parsing a quoted scalar"),
    ("JSON, duplicate key", '{"a": 1,\n\t"a": 2}', "f:2:2: duplicate key 'a'"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("text", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_refused_with_file_line_and_reason(text: str, said: str) -> None:
    with pytest.raises(BadArtifact) as caught:
        read_documents(text.encode(), "f")
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_not_utf_8() -> None:
    with pytest.raises(BadArtifact, match="f:2: not UTF-8"):
        read_documents(b"a: 1\nb: \xff", "f")


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "utf-16-be"])
def test_other_codings_of_unicode_are_refused(coding: str) -> None:
    with pytest.raises(BadArtifact, match=r"f:1: (not UTF-8|a control character)"):
        read_documents("a: ü".encode(coding), "f")


ACCEPTED = [
    ("empty", "", []),
    ("comments only", "# nothing\n---\n# here", []),
    ("anchors", "a: &x {b: 1}\nc: *x", [{"a": {"b": 1}, "c": {"b": 1}}]),
    ("merge", "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", [{"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}]),
    ("merge of several", "a: {<<: [{b: 1}, {b: 2, c: 3}]}", [{"a": {"b": 1, "c": 3}}]),
    ("keys by meaning", "on: 1\n5: 2", [{"true": 1, "5": 2}]),
    ("windows", "a: 1\r\nb: |\r\n  x\r\n", [{"a": 1, "b": "x\n"}]),
    ("byte order mark", "\ufeffa: 1", [{"a": 1}]),
    ("end marks", "a: 1\n...\n---\nb: 2\n...\n", [{"a": 1}, {"b": 2}]),
    ("JSON with tabs", '{\n\t"a":\t"x"}', [{"a": "x"}]),
    ("JSON, beyond the first plane", '{"a": "\\ud83d\\ude00"}', [{"a": "\U0001f600"}]),
    ("JSON, an escaped backslash", r'{"a": "\\ud83d\\ude00"}', [{"a": r"\ud83d\ude00"}]),
    ("JSON, a long key", json.dumps({"k" * 2000: 1}), [{"k" * 2000: 1}]),
    ("flow style", "{a: b}", [{"a": "b"}]),
    ("JSON numbers", '{"a": 1e2, "b": -0.5}', [{"a": 100.0, "b": -0.5}]),
    ("tab in flow style", "{a: 'x\ty'}", [{"a": "x\ty"}]),
    ("binary", "a: !!binary aGVs\n  bG8=", [{"a": "hello"}]),
    ("old Mac", "a: 1\rb: 2\r---\rc: 3", [{"a": 1, "b": 2}, {"c": 3}]),
    ("other breaks", "a: 1\u2028b: 2 # x\u2029---\x85c: 3\n---\nd: 4", [{"a": 1, "b": 2}, {"c": 3}, {"d": 4}]),
    ("an anchor that is used again", "a: &x 1\nb: *x\nc: &x 2\nd: *x", [{"a": 1, "b": 1, "c": 2, "d": 2}]),
    ("an alias as a key", "a: &x k\n*x : 1", [{"a": "k", "k": 1}]),
    ("an anchor of a key", "&x k: 1\na: *x", [{"k": 1, "a": "k"}]),
    ("several merges", "a: {<<: {b: 1, c: 1}, <<: {c: 2, d: 2}, d: 3}", [{"a": {"b": 1, "c": 1, "d": 3}}]),
    ("a merge key in quotes", "a: {'<<': {b: 1}}", [{"a": {"<<": {"b": 1}}}]),
    ("a set", "a: !!set {b, c}", [{"a": {"b": None, "c": None}}]),
    ("an ordered mapping", "a: !!omap [b: 1]", [{"a": [{"b": 1}]}]),
    ("what is no number", "a: 1:20:30\nb: 2024-99-99\nc: 1e999999999", [{"a": "1:20:30", "b": "2024-99-99", "c": "1e999999999"}]),
    ("long numbers", f"a: {'9' * 5000}\nb: 0x{'f' * 5000}\nc: -{'9' * 300}", [{"a": "9" * 5000, "b": "0x" + "f" * 5000, "c": -float("9" * 300)}]),
    ("line breaks alone", "\n" * 1_000_000, []),
    ("explicit text", "a: !!str 1\nb: &x !!str yes", [{"a": "1", "b": "yes"}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"), [r[1:] for r in ACCEPTED], ids=[r[0] for r in ACCEPTED]
)
def test_accepted(text: str, values: list[JsonValue]) -> None:
    assert [document.value for document in read_documents(text.encode(), "f")] == values


STREAM = """\
# top
kind: A  # one
spec:
  # two
  list:
  - a: 1  # three
    # four
    b: |
      text # no comment
  # five
  - b: '#'
# end
---
# second
kind: B
"""


def test_comments_and_places() -> None:
    first, second = read_documents(STREAM.encode(), "f")
    assert first.comments == {
        ("kind",): Comment(before=("top",), after="one"),
        ("spec", "list"): Comment(before=("two",)),
        ("spec", "list", 0): Comment(after="three"),
        ("spec", "list", 0, "b"): Comment(before=("four",)),
        ("spec", "list", 1): Comment(before=("five",)),
        (): Comment(after="end"),
    }
    assert first.where(("spec", "list", 1, "b")) == "f:11 spec.list[1].b"
    assert first.where(("spec", "nothing")) == "f:3 spec.nothing"
    assert second.where() == "f:15"
    assert second.text == "# second\nkind: B\n"


@pytest.mark.parametrize(
    ("text", "path", "comment"),
    [
        ("a: &x # why\n  b: 1\n", ("a",), Comment(after="why")),
        ("a: &x\n  # why\n  b: 1\n", ("a", "b"), Comment(before=("why",))),
        ("a: !!map # why\n  b: 1\n", ("a",), Comment(after="why")),
        ("a: [b, # why\n  c]\n", ("a",), Comment(after="why")),
        ("a: [b,#why\n  c]\n", ("a",), Comment(after="why")),
        ("# why\n---\na: 1\n", ("a",), Comment(before=("why",))),
        ("a: |\n  # text\n# why\nb: 1\n", ("b",), Comment(before=("why",))),
        ("- # why\n  a: 1\n", (0,), Comment(after="why")),
    ],
)
def test_where_a_comment_belongs(text: str, path: FieldPath, comment: Comment) -> None:
    (document,) = read_documents(text.encode(), "f")
    assert document.comments == {path: comment}


def test_what_an_alias_repeats_is_a_copy_with_the_place_of_the_alias() -> None:
    (document,) = read_documents(b"a: &x {b: [1]}\nc: *x\n", "f")
    value = document.value
    assert isinstance(value, dict)
    assert value["a"] == value["c"]
    assert value["a"] is not value["c"]
    assert document.where(("c", "b", 0)) == "f:2 c.b[0]"


STEERING = ["\x1b[31m", "\x7f", "\x9b31m", "\x9d0;x\x07", "\u202egpj.exe", "\u2066", "a\n\u202eb"]


@pytest.mark.parametrize("text", STEERING, ids=ascii)
def test_what_steers_a_terminal_is_written_out(text: str) -> None:
    value: JsonValue = {"a": text, "b": [f"ü {text}"], text: 1, "plain": "ü\tü"}
    comment = Comment(before=(text.replace("\n", " "),), after=text.replace("\n", " "))
    written = to_yaml(value, {("a",): comment})
    assert is_plain(written)
    assert "plain: " in written
    (document,) = read_documents(written.encode(), "f")
    assert document.value == value


def test_comments_survive_a_round_trip() -> None:
    documents = read_documents(STREAM.encode(), "f")
    assert join_documents([to_yaml(d.value, d.comments) for d in documents]) == STREAM


PARTS = [
    ("a licence above", "# L\n---\na: 1\n", ["# L\na: 1\n"]),
    ("dots in a block", "a: |\n  x\n   ...\n---\nb: 1\n", ["a: |\n  x\n   ...\n", "b: 1\n"]),
    ("kept line breaks", "a: |+\n  x\n\n\n---\nb: 1", ["a: |+\n  x\n\n\n", "b: 1"]),
    ("comments before ---", "# c\n--- {a: 1}\n...\n# d\n---\nb: 1\n", ["# c\n {a: 1}\n", "# d\nb: 1\n"]),
    ("nothing between", "a: 1\n---\n---\nb: 1\n", ["a: 1\n", "b: 1\n"]),
    ("dashes in text", "a: '\n ---'\n---\nb: 1\n", ["a: '\n ---'\n", "b: 1\n"]),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "texts"), [r[1:] for r in PARTS], ids=[r[0] for r in PARTS])
def test_the_text_of_each_document(stream: str, texts: list[str]) -> None:
    assert [document.text for document in read_documents(stream.encode(), "f")] == texts


OURS = {"apiVersion": "x/v1", "kind": "A"}
LISTS: list[tuple[str, str, list[JsonValue]]] = [
    ("items in the spec", "{kind: AList, spec: {items: [1]}}",
     [{"kind": "AList", "spec": {"items": [1]}}]),
    ("nothing in it", "{kind: AList, items: []}", []),
    ("items that are no list", "{kind: AList, items: {}}", [{"kind": "AList", "items": {}}]),
    ("any kind", "{apiVersion: v1, kind: ConfigMap, items: [{apiVersion: x/v1, kind: A}]}", [OURS]),
    ("no kind", "{items: [{apiVersion: x/v1, kind: A}]}", [OURS]),
    ("neither kind nor version", "{apiVersion: x/v1, kind: AList, items: [{}]}", [OURS]),
    ("both null", "{apiVersion: x/v1, kind: AList, items: [{kind: null, apiVersion: null}]}", [OURS]),
    ("both empty", "{apiVersion: x/v1, kind: AList, items: [{kind: '', apiVersion: ''}]}", [OURS]),
    ("neither is text", "{apiVersion: x/v1, kind: AList, items: [{kind: 1, apiVersion: []}]}", [OURS]),
    ("of a kind that is no list", "{apiVersion: x/v1, kind: A, items: [{}]}", [OURS]),
    ("a kind alone", "{apiVersion: x/v1, kind: AList, items: [{kind: A}]}", [{"kind": "A"}]),
    ("a version alone", "{apiVersion: v1, kind: AList, items: [{apiVersion: x/v1}]}", [OURS]),
    ("a list without a kind to give", "{apiVersion: v1, kind: List, items: [{a: 1}]}", [{"a": 1}]),
    ("lists in a list", "{kind: List, items: [{apiVersion: x/v1, kind: AList, items: [{}]}]}", [OURS]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "items"), [r[1:] for r in LISTS], ids=[r[0] for r in LISTS])
def test_lists_are_what_kubectl_takes_for_one(text: str, items: list[JsonValue]) -> None:
    (document,) = read_documents(text.encode(), "f")
    assert [item.value for item in document.items()] == items


def test_items_of_nested_lists_share_one_map_of_lines() -> None:
    deep = 40
    text = "{kind: List, items: [" * deep + "{a: 1},\n# note\n{b: 2}" + "]}" * deep
    (document,) = read_documents(text.encode(), "f")
    first, second = document.items()
    assert first.lines is second.lines is document.lines
    assert (first.where(("a",)), second.where(("b",))) == ("f:1 a", "f:3 b")
    assert (first.comments, second.comments) == ({}, {(): Comment(before=("note",))})


def test_items_of_a_list_know_their_lines() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- kind: A\n  # note\n  spec:\n    url: x\n- kind: B\n"
    )
    (document,) = read_documents(text.encode(), "f")
    first, second = document.items()
    assert first.where(("spec", "url")) == "f:7 spec.url"
    assert first.comments == {("spec",): Comment(before=("note",))}
    assert (second.where(), second.value) == ("f:8", {"kind": "B"})


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"])
    | st.sampled_from("\n\t\r\x85\u2028\u2029\ufeff\x00#:-")
)
AMBIGUOUS = st.sampled_from(
    ["yes", "y", "~", "", "1e3", "0777", "08", "0x1f", "1:20", "2001-12-14", "<<", "=", "- a", "#",
     "a: b", "a #b", " x", "x ", "null", "{", "[", "!x", "&x", "*x", "%x", "@x", "`x", "|", ">", "'",
     '"', "\n", "a\n", "\na", "a\n\nb\n", "a \nb", "...", "---", "? x", ".5", ".inf", "\u2028"]
)  # fmt: skip
NUMBERS = st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT | AMBIGUOUS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT | AMBIGUOUS, inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(VALUES)
def test_what_is_written_reads_back_as_it_was(value: JsonValue) -> None:
    wrapped: JsonValue = {"value": value}
    (document,) = read_documents(to_yaml(wrapped).encode(), "f")
    assert document.value == wrapped
    assert json.dumps(document.value) == json.dumps(wrapped)  # types and order of keys too


def paths(value: JsonValue, path: FieldPath = ()) -> Iterator[FieldPath]:
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


LINE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=9)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_comments_change_no_value(value: JsonValue, data: st.DataObject) -> None:
    wrapped: JsonValue = {"value": value, "last": 1}
    comments = {
        path: Comment(before=(data.draw(LINE),), after=data.draw(LINE))
        for path in [*paths(wrapped), ()]
        if data.draw(st.booleans())
    }
    (document,) = read_documents(to_yaml(wrapped, comments).encode(), "f")
    assert json.dumps(document.value) == json.dumps(wrapped)


def test_a_comment_above_a_key_that_begins_with_an_odd_space() -> None:
    """Only spaces indent."""
    value: JsonValue = {"value": {"": [None, None], "\xa0": None}, "last": 1}
    comments = {("value", "\xa0"): Comment(before=("",), after="")}
    (document,) = read_documents(to_yaml(value, comments).encode(), "f")
    assert document.value == value


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3))
def test_documents_that_pass_through_keep_their_values(values: list[JsonValue]) -> None:
    written = join_documents([to_yaml({"value": value}) for value in values])
    documents = read_documents(written.encode(), "f")
    again = read_documents(join_documents(documents_text(documents)).encode(), "f")
    assert (
        [d.value for d in again] == [d.value for d in documents] == [{"value": v} for v in values]
    )


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_json_is_read_as_yaml(value: JsonValue) -> None:
    wrapped: JsonValue = {"value": value}
    for ascii_only in (True, False):
        text = json.dumps(wrapped, indent="\t", ensure_ascii=ascii_only)
        (document,) = read_documents(text.encode(), "f")
        assert document.value == wrapped


@pytest.mark.stress
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | TEXT.map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(BadArtifact):
        read_documents(raw, "f")


LARGE = {
    "flow lists": ('"[" * M', "refused"),
    "flow mappings": ('"{a: " * (M // 4)', "refused"),
    "block lists": ('"- " * (M // 2)', "refused"),
    "items": ('"-\\n" * (M // 2)', "refused"),
    "documents": ('"---\\n" * (M // 4)', "refused"),
    "line breaks": ('"\\n" * M', "0"),
    "other line breaks": ("chr(0x2028) * (M // 3)", "0"),
    "comments": ('"#\\n" * (M // 2)', "refused"),
    "one comment": ('"a: 1 #" + "#" * (M - 6)', "1"),
    "comments before a field": ('"# x\\n" * 200_000 + "a: 1"', "1"),
    "comments after all fields": ('"a: 1\\n" + "# x\\n" * 200_000', "1"),
    "keys": ('"".join(f"k{n}: 1\\n" for n in range(4_000_000))', "refused"),
    "text": ('"a: " + "x" * (M - 20) + chr(0x1F600)', "1"),
    "JSON": ('"[" + \'{"":0},\' * (M // 7 - 2) + "0]"', "refused"),
    "templates": ('"a: " + "{{" * (M // 2 - 2)', "refused"),
    "templates that do not end": ('"x: y: " + "a: {{ " * (M // 6 - 2)', "refused"),
    "lines that could be templates": ('": {{\\n" * (M // 5)', "refused"),
    "directives": ('"".join(f"%TAG !a{n}! x\\n" for n in range(3_000_000))', "refused"),
    "a number": ('"a: " + "9" * (M - 3)', "1"),
    "merges": ('"a:\\n" + "".join(f"  <<: {{k{n}: 1}}\\n" for n in range(300_000))', "1"),
    "a name without end": ('"a: &" + "x" * (M - 20) + " y\\nb: *z"', "refused"),
}
"""Expressions of streams, M bytes being the most that is read."""
READ = """
from wasmpack.errors import BadArtifact
from wasmpack.kubeyaml.reader import MAX_BYTES as M, read_documents
try:
    print(len(read_documents(({text}).encode(), "f")))
except BadArtifact as error:
    assert len(error.message) < 200
    print("refused")
"""


@pytest.mark.parametrize("read", [read_documents, read_unresolved])
def test_a_stream_beyond_the_bound_is_not_parsed(
    read: Callable[[bytes, str], object],
) -> None:
    with pytest.raises(TooMuch, match="f: more than 64 MiB"):
        read(bytes(MAX_BYTES + 1), "f")


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_no_stream_takes_much_time_or_memory(name: str) -> None:
    """Each took gigabytes, ended the interpreter, or took time that grows with the square."""
    text, outcome = LARGE[name]
    done = watched(sys.executable, "-c", READ.replace("{text}", text), limit=300)
    assert done.code == 0, done.err
    assert done.out.split() == [outcome]
    assert done.megabytes < 1000


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${tag}", "v1"),
        ("$${tag}", "${tag}"),
        ("a ${tag} $${", "a v1 ${"),
        ("${", "${"),
        ("${tag} ${", "v1 ${"),
        ("$$${tag}$", "$${tag}$"),
    ],
)
def test_placeholders(text: str, filled: str) -> None:
    assert fill(text, {"tag": "v1"}, "f:1") == filled


@pytest.mark.stress
def test_placeholders_that_do_not_end_are_passed_over_once() -> None:
    code = (
        "from wasmpack.mesh.templates import fill; print(len(fill('${' * 10_000_000, {}, 'f:1')))"
    )
    done = watched(sys.executable, "-c", code, limit=300)
    assert done.out.split() == ["20000000"]
