"""More images by hand: what the fetcher refuses although others read it, and the reverse.

``row`` is the sentence of the reference's section on the fetchers that a case rests on.
"""

from __future__ import annotations

import base64
import gzip
import tarfile
from collections.abc import Callable, Iterator

from agreement.images import (
    AMD,
    ARM,
    CONFIG,
    CONTENT,
    DGZ,
    GOOD,
    GZ,
    INVALID,
    OK,
    OTHER,
    PLUGIN,
    Case,
    Json,
    Layer,
    packed,
    tar,
)  # fmt: skip
from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Descriptor

COMPAT: list[Layer] = [(GZ, GOOD)]
ARTIFACT: list[Layer] = [CONFIG, CONTENT]
BOTH = {"compat": (COMPAT, OK), "artifact": (ARTIFACT, "alone")}
NO_LAYERS = "number of layers must be greater than zero"
ONE = "number of layers must be 1 but got 0"
NO_CHILD = "no child with platform linux/amd64 in index"
TAR = mt.OCI_LAYER_TAR
SHA512 = "sha512:" + "a" * 128
GO = "could not retrieve manifest: "


def odd_cases() -> list[Case]:
    """All of them, each with a different name."""
    found = [
        *_nested(),
        *_served(),
        *_types(),
        *_text(),
        *_lenient(),
        *_data(),
        *_twice(),
        *_tars(),
    ]
    assert len({case.name for case in found}) == len(found)
    return found


def _nested() -> Iterator[Case]:
    row = "an index inside an index is followed"
    for name, (layers, gcp) in BOTH.items():
        for depth in (2, 3, 16):
            yield Case(
                f"{name}, {depth} indexes", row, layers, OK, gcp=gcp, platforms=[AMD], depth=depth
            )
        yield Case(
            f"{name}, nested without platform", row, layers, OK, gcp=gcp, platforms=[None], depth=2
        )
        yield Case(
            f"{name}, nested, arm64 alone inside",
            row,
            layers,
            NO_CHILD,
            gcp=NO_CHILD,
            platforms=[ARM],
            depth=2,
        )
        yield Case(
            f"{name}, nested and pinned",
            "an index digest never matches",
            layers,
            "which does not match",
            gcp=gcp,
            platforms=[AMD],
            depth=2,
            pinned=True,
        )
        yield Case(
            f"{name}, nested docker lists",
            row,
            layers,
            OK,
            gcp=gcp,
            platforms=[AMD],
            depth=2,
            index_served=mt.DOCKER_LIST,
        )
    deep = "an index that is more than 16 deep"
    yield Case("17 indexes", "ours: bounded", COMPAT, deep, gcp=deep, platforms=[AMD], depth=17)


def _served() -> Iterator[Case]:
    row = "refused: an index served as application/json or with a charset"
    for kind in (
        "application/json",
        f"{mt.OCI_INDEX}; charset=utf-8",
        "text/plain",
        mt.OCI_MANIFEST,
    ):
        yield Case(
            f"index served as {kind}",
            row,
            COMPAT,
            NO_LAYERS,
            one=ONE,
            platforms=[AMD],
            index_served=kind,
            gcp="no plugin.wasm" if kind == mt.OCI_MANIFEST else OK,
        )
    yield Case("index from a layout", row, COMPAT, OK, gcp=OK, platforms=[AMD], index_served="")
    for kind in ("application/json", f"{mt.OCI_MANIFEST}; charset=utf-8", "text/plain"):
        yield Case(
            f"manifest served as {kind}",
            "only an index goes by its Content-Type",
            COMPAT,
            OK,
            gcp=OK,
            served=kind,
        )
    schema = "application/vnd.docker.distribution.manifest"
    for kind in (f"{schema}.v1+json", f"{schema}.v1+prettyjws"):
        yield Case(
            f"served as {kind}",
            "refused: schema1 as content type",
            COMPAT,
            f'unsupported MediaType "{kind}"',
            gcp=OK,
            served=kind,
        )


def _set(*path: str | int, to: object) -> Callable[[Json], None]:
    """A change of one value."""

    def change(body: Json) -> None:
        *way, last = path
        for key in way:
            body = body[key]  # type: ignore[index]
        body[last] = to  # type: ignore[index]

    return change


def _types() -> Iterator[Case]:
    row = 'refused: `schemaVersion` "2" or 2.0, and whatever else Go cannot decode'
    into = "into Go struct field Manifest."
    wrong: dict[str, tuple[Callable[[Json], None], str]] = {
        "schemaVersion text": (_set("schemaVersion", to="2"), f"unmarshal string {into}schemaVersion of type int64"),
        "schemaVersion 2.0": (_set("schemaVersion", to=2.0), f"unmarshal number 2.0 {into}schemaVersion of type int64"),
        "schemaVersion true": (_set("schemaVersion", to=True), "cannot unmarshal bool"),
        "schemaVersion an array": (_set("schemaVersion", to=[2]), "cannot unmarshal array"),
        "schemaVersion over 63 bits": (_set("schemaVersion", to=1 << 63), "cannot unmarshal number"),
        "urls text": (_set("layers", 0, "urls", to="https://x"), "Manifest.layers.urls"),
        "urls of numbers": (_set("layers", 0, "urls", to=[1]), "Manifest.layers.urls"),
        "platform text": (_set("layers", 0, "platform", to="linux"), "Manifest.layers.platform"),
        "platform of numbers": (_set("config", "platform", to={"os": 1}), "Manifest.config.platform.os"),
        "features text": (_set("config", "platform", to={"features": "x"}), "platform.features"),
        "artifactType of a layer a number": (_set("layers", 0, "artifactType", to=1), "layers.artifactType"),
        "subject's data": (_set("subject", to={**Descriptor.of(b"s", "a/b").as_json(), "data": 1}), "subject.data"),
        "data a number": (_set("layers", 0, "data", to=5), "Manifest.layers.data of type []uint8"),
        "data not base64": (_set("layers", 0, "data", to="a!=="), "illegal base64 data at input byte 1"),
        "data base64 for URLs": (_set("layers", 0, "data", to="_-8="), "illegal base64 data at input byte 0"),
        "config's data not base64": (_set("config", "data", to="?"), "illegal base64 data"),
        "sha512 of the config": (_set("config", "digest", to=SHA512), 'unsupported hash: "sha512"'),
        "sha512 of the layer": (_set("layers", 0, "digest", to=SHA512), 'unsupported hash: "sha512"'),
    }  # fmt: skip
    for name, (change, text) in wrong.items():
        gcp = "blob sha512:" if name == "sha512 of the layer" else OK
        yield Case(name, row, COMPAT, text, gcp=gcp, change=change)
    for name, change in {
        "schemaVersion null": _set("schemaVersion", to=None), "schemaVersion 1.12's 3": _set("schemaVersion", to=3),
        "annotations null": _set("annotations", to=None), "urls null": _set("layers", 0, "urls", to=None),
        "artifactType a number": _set("artifactType", to=3), "unknown keys": _set("x", to={"schemaVersion": "2"}),
    }.items():  # fmt: skip
        yield Case(
            name,
            "loaded: null and unknown fields are passed over",
            COMPAT,
            OK,
            gcp=OK,
            change=change,
        )
    yield Case(
        "schemaVersion text in an index",
        row,
        COMPAT,
        "could not fetch image: json: cannot unmarshal string",
        gcp=OK,
        platforms=[AMD],
        change_index=_set("schemaVersion", to="2"),
    )
    yield Case(
        "sha512 of another child",
        "refused: a sha512 digest",
        COMPAT,
        "could not fetch image: unsupported hash",
        gcp=OK,
        platforms=[AMD, ARM],
        change_index=_set("manifests", 1, "digest", to=SHA512),
    )


def _text() -> Iterator[Case]:
    yield Case(
        "a BOM",
        "refused: a BOM before the manifest",
        COMPAT,
        f"{GO}invalid character 'ï'",
        gcp=OK,
        written=lambda raw: b"\xef\xbb\xbf" + raw,
    )
    yield Case(
        "blanks around", "JSON", COMPAT, OK, gcp=OK, written=lambda raw: b"\n\t " + raw + b"\r\n \n"
    )
    for name, more in {"text": b"x", "a second object": b"{}", "NUL": b"\0"}.items():
        text = "a mesh reads no further and loads it, but other clients refuse it"
        yield Case(
            f"{name} behind the JSON",
            "loaded: text behind the JSON; stricter here",
            COMPAT,
            text,
            gcp=text,
            written=lambda raw, more=more: raw + more,
        )
    large = "a mesh may load it, but registries need not take it"
    yield Case(
        "over 4 MiB",
        "loaded: manifests over 4 MiB; stricter here",
        COMPAT,
        large,
        gcp=large,
        written=lambda raw: raw + b" " * (4 << 20),
    )


def _renamed(*path: str | int, to: str) -> Callable[[Json], None]:
    """A change of one key."""

    def change(body: Json) -> None:
        *way, last = path
        for key in way:
            body = body[key]  # type: ignore[index]
        body[to] = body.pop(last)  # type: ignore[arg-type]

    return change


def _lenient() -> Iterator[Case]:
    row = "loaded: keys in other case"
    for key, to in (("layers", "Layers"), ("config", "CONFIG"), ("mediaType", "MEDIATYPE")):
        yield Case(f"key {to}", row, COMPAT, OK, gcp=OK, change=_renamed(key, to=to))
    yield Case(
        "docker, key mediatype",
        row,
        [(DGZ, GOOD)],
        OK,
        gcp=OK,
        body=mt.DOCKER_MANIFEST,
        change=_renamed("mediaType", to="mediatype"),
    )
    for key, to in (("mediaType", "mediatype"), ("digest", "Digest"), ("size", "SIZE")):
        yield Case(
            f"a layer's key {to}", row, ARTIFACT, OK, change=_renamed("layers", 1, key, to=to)
        )
    yield Case(
        "an index's keys",
        row,
        COMPAT,
        OK,
        gcp=OK,
        platforms=[AMD],
        change_index=_renamed("manifests", 0, "platform", to="Platform"),
    )
    row = "loaded: `config` missing or null"
    for name, (layers, gcp) in BOTH.items():
        yield Case(f"{name}, config null", row, layers, OK, gcp=gcp, change=_set("config", to=None))
        yield Case(
            f"{name}, no config", row, layers, OK, gcp=gcp, change=lambda body: body.pop("config")
        )
    row = "loaded: an index child without mediaType"
    for kind in (None, "", "application/json"):
        yield Case(
            f"index child of type {kind}",
            row,
            COMPAT,
            OK,
            gcp=OK,
            platforms=[AMD],
            change_index=_set("manifests", 0, "mediaType", to=kind),
        )
    yield Case(
        "layers null",
        "zero layers",
        [],
        NO_LAYERS,
        one=ONE,
        gcp="no plugin.wasm",
        change=_set("layers", to=None),
    )
    yield Case(
        "manifests null",
        "no child",
        COMPAT,
        NO_CHILD,
        gcp=NO_CHILD,
        platforms=[AMD],
        change_index=_set("manifests", to=None),
    )


def _data() -> Iterator[Case]:
    row = "loaded: a layer whose bytes are only in `data`"
    good, other = base64.b64encode(GOOD).decode(), base64.b64encode(OTHER).decode()
    yield Case(
        "compat in data",
        row,
        COMPAT,
        OK,
        gcp=OK,
        lost=True,
        change=_set("layers", 0, "data", to=good),
    )
    yield Case(
        "artifact in data",
        row,
        ARTIFACT,
        OK,
        lost=True,
        change=_set("layers", 1, "data", to=base64.b64encode(PLUGIN).decode()),
    )
    yield Case("lost", "a missing blob", COMPAT, "blob sha256:", gcp="blob sha256:", lost=True)
    text = "its descriptor says"
    yield Case(
        "data of another size",
        "data is verified",
        COMPAT,
        text,
        gcp=text,
        change=_set("layers", 0, "data", to=other),
    )


def _twice() -> Iterator[Case]:
    row = "refused: one digest under two media types (the first counts)"
    missing = f"could not find the layer of type {mt.WASM_CONTENT}"
    yield Case("content after another type", row, [("a/b", PLUGIN), CONTENT], missing)
    yield Case("content before another type", row, [CONTENT, ("a/b", PLUGIN)], OK)
    two = "number of layers must be 1 but got 2"
    yield Case(
        "tar, then gzip", row, [(TAR, GOOD), (GZ, GOOD)], f"invalid media type {TAR}", one=two
    )
    yield Case("gzip, then tar", row, [(GZ, GOOD), (TAR, GOOD)], OK, one=two)
    yield Case(
        "docker, then OCI",
        row,
        [(DGZ, GOOD), (GZ, GOOD)],
        f"invalid media type {DGZ}",
        one=two,
        gcp=OK,
    )
    yield Case(
        "config is the layer", row, COMPAT, "invalid media type a/b", gcp=OK, config=("a/b", GOOD)
    )
    yield Case("config is the layer, with its type", row, COMPAT, OK, gcp=OK, config=(GZ, GOOD))


def _pax(kind: bytes, name: str, record: str) -> tarfile.TarInfo:
    """The header of an entry whose content is one pax record."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(_record(record))
    return info


def _record(text: str) -> bytes:
    size = len(text) + 3
    while len(f"{size} {text}\n") != size:
        size += 1
    return f"{size} {text}\n".encode()


def _with_pax(kind: bytes, name: str, record: str) -> bytes:
    """A layer with this entry before the plugin."""
    data = _record(record)
    entry = _pax(kind, name, record).tobuf() + data + bytes(-len(data) % 512)
    return gzip.compress(entry + tar(("plugin.wasm", PLUGIN)), mtime=0)


def _tars() -> Iterator[Case]:
    header = "archive/tar: invalid tar header"
    for record in ("mtime=noon", "uid=me", "gid=x", "atime=1.x", "size=-"):
        layer = _with_pax(b"x", "PaxHeaders/p", record)
        yield Case(
            f"pax {record}",
            "refused: pax mtime/uid that is no number",
            [(GZ, layer)],
            header,
            gcp=header,
        )
    yield Case(
        "pax comment", "pax", [(GZ, _with_pax(b"x", "PaxHeaders/p", "comment=x"))], OK, gcp=OK
    )
    sun = _with_pax(b"X", "PaxHeaders/plugin.wasm", "mtime=1.0")
    yield Case(
        "Sun's header",
        "refused: Sun `X` headers",
        [(GZ, sun)],
        INVALID,
        gcp="PaxHeaders/plugin.wasm",
    )
    path = _with_pax(b"g", "pax_global_header", "path=plugin.wasm")
    yield Case("a global path", "refused: a global pax `path`", [(GZ, path)], INVALID, gcp=OK)
    comment = _with_pax(b"g", "pax_global_header", "comment=" + "0" * 40)
    yield Case("git archive's header", "a global pax comment", [(GZ, comment)], OK, gcp=OK)
    wrong = bytearray(GOOD)
    wrong[-8] ^= 1
    yield Case(
        "a wrong CRC",
        "loaded: a wrong gzip CRC",
        [(GZ, bytes(wrong))],
        OK,
        gcp=OK,
    )
    row = "loaded: runtime-config `{}` or damaged (never read)"
    for name, config in {"empty": b"", "damaged": b"{\xff", "a list": b"[]"}.items():
        yield Case(
            f"runtime-config {name}, compat",
            row,
            [(GZ, packed(("plugin.wasm", PLUGIN), ("runtime-config.json", config)))],
            OK,
        )
        yield Case(f"runtime-config {name}, artifact", row, [(mt.WASM_CONFIG, config), CONTENT], OK)
