"""Digests, references, places, JSON: what exists is valid, and prints as it was written."""

from pathlib import Path

import pytest

from wasmpack.errors import BadArtifact, WrongUsage
from wasmpack.oci.canonical import canonical_json, parse_json, parse_json_object
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.place import (
    ArchivePlace,
    DaemonPlace,
    LayoutPlace,
    NamePlace,
    parse_place,
    pinned,
)
from wasmpack.oci.reference import Reference, RegistryName

HEX = "a" * 64
EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

REFERENCES = [
    ("quay.io/me/plugin:v1", "quay.io", "me/plugin", "v1"),
    ("localhost:5000/x", "localhost:5000", "x", None),
    ("localhost/x:y", "localhost", "x", "y"),
    ("plugin", "docker.io", "library/plugin", None),
    ("me/plugin:1", "docker.io", "me/plugin", "1"),
    ("docker.io/plugin:1", "docker.io", "library/plugin", "1"),
    ("index.docker.io/me/p", "docker.io", "me/p", None),
    ("[::1]:5000/a/b__c:v", "[::1]:5000", "a/b__c", "v"),
    (f"quay.io/me/plugin:v1@sha256:{HEX}", "quay.io", "me/plugin", "v1"),
    ("registry.example.com:443/a.b-c/d:T_.-1", "registry.example.com:443", "a.b-c/d", "T_.-1"),
]


@pytest.mark.parametrize(("text", "registry", "repository", "tag"), REFERENCES)
def test_reference(text: str, registry: str, repository: str, tag: str | None) -> None:
    found = Reference.parse(text)
    assert (found.registry, found.repository, found.tag) == (registry, repository, tag)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "UPPER/case", "a//b", "quay.io/", "quay.io/x:", "quay.io/x:-bad", "quay.io/x:a b",
        "x@sha256:abc", "https://quay.io/x", "quay.io/x@", "-x", "quay.io/x_", "a:b:c",
        f"quay.io/{'x' * 255}", f"{'h' * 64}.example/x", f"quay.io/x:{'t' * 129}",
        "host:99999999/x", "x@md5:" + "a" * 32, "localhost:65536/x", "[:]/x", "[1:2]:5000/x",
        "x\0", "a" * 300, "x:" + "a" * 5000, "x@" + "a" * 1_000_000, "\udcff", "x/٣",
    ],
)  # fmt: skip
def test_no_reference(text: str) -> None:
    with pytest.raises(WrongUsage):
        Reference.parse(text)


def test_references_of_one_image_are_equal() -> None:
    assert Reference.parse("plugin:v1") == Reference.parse("docker.io/library/plugin:v1")
    assert Reference.parse("plugin").full == "docker.io/library/plugin:latest"


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("quay.io", "quay.io"),
        ("https://quay.io/", "quay.io"),
        ("localhost:5000", "localhost:5000"),
        ("[::1]:5000", "[::1]:5000"),
        ("registry", "registry"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
    ],
)
def test_registry_name(text: str, registry: str) -> None:
    assert str(RegistryName.parse(text)) == registry


@pytest.mark.parametrize(
    "text", ["", "quay.io/me", "not a host", "quay.io:99999", "user@quay.io", "a" * 300]
)
def test_no_registry_name(text: str) -> None:
    with pytest.raises(WrongUsage, match="HOST"):
        RegistryName.parse(text)


def test_tag_must_be_a_tag() -> None:
    with pytest.raises(WrongUsage, match="no tag"):
        Reference.parse("a/b").with_tag("no tag")


@pytest.mark.parametrize("text", ["sha256:" + HEX, "sha512:" + "0" * 128])
def test_digest_round_trip(text: str) -> None:
    assert str(Digest.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "../../x", HEX, "md5:ab"]
)
def test_no_digest(text: str) -> None:
    with pytest.raises(WrongUsage):
        Digest.parse(text)


def test_digest_of_bytes() -> None:
    assert str(Digest.of(b"{}")) == EMPTY
    assert Digest.parse(EMPTY).matches(b"{}")
    assert not Digest.parse(EMPTY).matches(b"[]")


PLACES = [
    ("quay.io/me/p:v1", NamePlace(Reference.parse("quay.io/me/p:v1"))),
    ("oci:out", LayoutPlace("out")),
    ("oci:out:v1", LayoutPlace("out", "v1")),
    ("oci:/a:b/c", LayoutPlace("/a:b/c")),
    ("oci:./a/b:v1", LayoutPlace("./a/b", "v1")),
    (f"oci:out:v1@{EMPTY}", LayoutPlace("out", "v1", Digest.parse(EMPTY))),
    ("oci-archive:p.tar:v1", ArchivePlace("p.tar", "v1")),
    ("oci:out:v1+build.5", LayoutPlace("out", "v1+build.5")),
    ("oci-archive:-:v1", ArchivePlace("-", "v1")),
    ("oci-archive:-:quay.io/me/p:v1", ArchivePlace("-", "quay.io/me/p:v1")),
    ("docker-daemon:p:v1", DaemonPlace(Reference.parse("p:v1"))),
]


@pytest.mark.parametrize(("text", "place"), PLACES)
def test_place(text: str, place: object) -> None:
    assert parse_place(text) == place
    assert str(parse_place(text)) == text


def test_docker_prefix_means_the_registry() -> None:
    place = parse_place("docker://quay.io/me/p:v1")
    assert place == NamePlace(Reference.parse("quay.io/me/p:v1"), remote=True)


def test_existing_layouts_and_archives_need_no_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lay").mkdir()
    (tmp_path / "lay" / "oci-layout").touch()
    (tmp_path / "plugin").mkdir()
    for name in ("a.tar", "a.tar.gz", "A.TGZ", "b.tar.zst"):
        (tmp_path / name).touch()
    assert parse_place("lay") == LayoutPlace("lay")
    assert parse_place("./lay") == LayoutPlace("./lay")
    for name in ("a.tar", "a.tar.gz", "A.TGZ", "b.tar.zst", "./a.tar"):
        assert parse_place(name) == ArchivePlace(name)
    assert isinstance(parse_place("plugin"), NamePlace), "a plain directory is no layout"


NAMED_HERE = {
    "oci:lay:v1": LayoutPlace("lay", "v1"),
    "oci:lay:quay.io/me/p:v1": LayoutPlace("lay", "quay.io/me/p:v1"),
    "oci:lay:localhost:5000/p:v1+2": LayoutPlace("lay", "localhost:5000/p:v1+2"),
    "oci:lay:plugins/auth": LayoutPlace("lay", "plugins/auth"),
    f"oci:lay:me/p:v1@{EMPTY}": LayoutPlace("lay", "me/p:v1", Digest.parse(EMPTY)),
    "oci:with:colon": LayoutPlace("with:colon"),
    "oci:with:colon:v1": LayoutPlace("with:colon", "v1"),
    "oci:with:colon/in": LayoutPlace("with:colon/in"),
    "oci:with:colon/in:a/b:c": LayoutPlace("with:colon/in", "a/b:c"),
    "oci-archive:a.tar:me/p:v1": ArchivePlace("a.tar", "me/p:v1"),
}


@pytest.mark.parametrize("text", NAMED_HERE)
def test_a_path_that_is_there_ends_where_the_name_starts(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lay").mkdir()
    (tmp_path / "with:colon" / "in").mkdir(parents=True)
    (tmp_path / "a.tar").touch()
    place = parse_place(text)
    assert place == NAMED_HERE[text]
    assert str(place) == text


@pytest.mark.parametrize("name", ["filter.wasm", "sub/filter.wasm", "./FILTER.WASM", "a.wat"])
def test_a_module_is_not_an_image(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / name).touch()
    with pytest.raises(WrongUsage, match="a module, not an image") as caught:
        parse_place(name)
    assert f"wasmpack validate module {name}" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("docker-archive:a.tar", "oci-archive:a.tar"),
        ("dir:/tmp/x", "skopeo copy dir:/tmp/x oci:"),
        ("containers-storage:localhost/p:v1", "podman save --format oci-archive -o FILE localhost"),
        ("oci-layout:out", "oci:out"),
        ("sif:x", "skopeo"),
    ],
)
def test_transports_of_other_tools(text: str, way_out: str) -> None:
    with pytest.raises(WrongUsage, match="unknown transport") as caught:
        parse_place(text)
    assert way_out in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "oci:", "oci:x:bad tag", "./nowhere", "/nowhere/at/all", "oci:a\0b", "oci-archive:\0",
        "oci:\ud800", "./a\0", "~\0.tar", "a\0.tar", "a" * 300, "./" + "a" * 300, "~" + "a" * 300,
        "a" * 300 + ".tar", "/a" * 3000, "d/" * 3000, "oci:x:" + "t" * 5000,
    ],
)  # fmt: skip
def test_no_place(text: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        parse_place(text)
    assert len(caught.value.message + caught.value.hint) < 2000


def test_a_name_too_long_for_a_file_is_still_a_name() -> None:
    text = f"quay.io/{'a' * 200}:{'t' * 128}"
    assert parse_place(text) == NamePlace(Reference.parse(text))


def test_pinned() -> None:
    assert str(pinned(parse_place("oci:out:v1"), Digest.of(b"{}"))) == f"oci:out:v1@{EMPTY}"
    assert str(pinned(parse_place("p:v1"), Digest.of(b"{}"))) == f"p:v1@{EMPTY}"


def test_canonical_json() -> None:
    assert canonical_json({"b": "ü", "a": [1, None]}) == '{"a":[1,null],"b":"ü"}'.encode()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a": }', "line 1 column 7"),
        (b'{\n "a": 1,\n}', "line 3 column 1"),
        (b'{"a": 1, "a": 2}', "is duplicated"),
        (b"\xff", "not UTF-8"),
        (b"NaN", "not a JSON number"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "too long"),
        (b"-" + b"9" * 5000, "too long"),
        (b"1e999", "not a JSON number"),
        (b"-Infinity", "not a JSON number"),
        (b"[" * 101 + b"1" + b"]" * 101, "nested too deeply"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "nested too deeply"),
        (b"[" + b"{}," * 1_000_000 + b"{}]", "more than 2000000 values"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b"", "line 1 column 1"),
    ],
)
def test_bad_json_says_where(raw: bytes, words: str) -> None:
    with pytest.raises(BadArtifact, match=words):
        parse_json(raw, "doc")


def test_json_within_bounds() -> None:
    raw = b"[" * 100 + b"1" + b"]" * 100
    assert canonical_json(parse_json(raw, "doc")) == raw
    text = b'["' + b"[{,}]" * 200 + b'"]'
    assert parse_json(text, "doc") == ["[{,}]" * 200]


@pytest.mark.slow
def test_long_names_are_cut_in_errors() -> None:
    for raw in (b'{"%b": 1, "%b": 2}' % (b"k" * 9000, b"k" * 9000), b"1e" + b"9" * 9000):
        with pytest.raises(BadArtifact) as caught:
            parse_json(raw, "doc")
        assert len(caught.value.message) < 200
    assert len(BadArtifact("x" * 10_000_000, hint="y" * 10_000_000).message) == 4001


def test_json_object_wanted() -> None:
    with pytest.raises(BadArtifact, match="expected a JSON object, found an array"):
        parse_json_object(b"[]", "doc")


BRACKETS = "[{" * 5000
DEEP = {
    "as deep as can be": (b"[" * 100 + b"]" * 100, True),
    "one deeper": (b"[" * 101 + b"1" + b"]" * 101, False),
    "objects": (b'{"a":' * 101 + b"1" + b"}" * 101, False),
    "wide, not deep": (b"[" + b"[]," * 100_000 + b"[]]", True),
    "in text": (f'["{BRACKETS}"]'.encode(), True),
    "in text behind quotes": (f'["\\"{BRACKETS}\\\\", [1]]'.encode(), True),
    "text without end": (b'["' + b'\\"[' * 500_000, False),
    "closed more than opened": (b"]" * 500_000, False),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_nesting_has_a_limit_that_python_never_meets(name: str) -> None:
    raw, good = DEEP[name]
    if good:
        assert parse_json(raw, "doc") is not None
        return
    with pytest.raises(BadArtifact) as caught:
        parse_json(raw, "doc")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "raw", [b" " * (17 << 20), b"1e" + b"9" * 5000, b"1." + b"9" * 1_000_000 + b"e999999",
            b'{"%s": 1, "%s": 1}' % (b"a" * 100_000, b"a" * 100_000)],
    ids=["large", "exponent", "digits", "long keys"],
)  # fmt: skip
def test_bad_json_is_not_echoed(raw: bytes) -> None:
    with pytest.raises(BadArtifact) as caught:
        parse_json(raw, "doc")
    assert len(caught.value.message) < 300


def test_the_size_of_a_document_has_a_limit() -> None:
    with pytest.raises(BadArtifact, match="4 bytes of JSON, more than 3"):
        parse_json_object(b"{  }", "doc", 3)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("http://me:pw@r.io/ok.wasm", "a module behind a URL is judged as spec.url"),
        ("https://r.io/me/x", "r.io/me/x, if an image is meant; a module behind a URL is judged"),
    ],
)
def test_a_url_that_may_be_that_of_a_module(url: str, hint: str) -> None:
    with pytest.raises(WrongUsage, match="no scheme") as caught:
        Reference.parse(url)
    assert caught.value.hint.startswith(hint)
    assert "pw" not in caught.value.message


def test_the_hint_of_a_name_with_a_scheme_has_no_login() -> None:
    with pytest.raises(WrongUsage, match="no scheme") as caught:
        Reference.parse("https://me:hunter2@quay.io/me/x@sha256:1")
    assert caught.value.hint == "quay.io/me/x@sha256:1"
