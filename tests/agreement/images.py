"""Images, and what each consumer makes of them by the rows of the reference on consumers.

Every expectation is written by hand from the row it cites (its sections and the numbers N1 to N26
of its catalogue of rejections); none was produced by the code under test.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from support.plugins import wat

from wasmpack.errors import NotFound
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, Manifest, parse
from wasmpack.stores.ports import ImageReader
from wasmpack.targets import all_targets

OK = "ok"
PLUGIN = wat()
GZ, DGZ = mt.OCI_LAYER_TAR_GZIP, mt.DOCKER_LAYER_TAR_GZIP
ONE_LAYER = {"istio-1.12", "istio-1.13", "istio-1.14", "istio-1.15", "ossm-2.2"}
NO_LIMIT = {*ONE_LAYER, "ossm-2.3"}
MIB = 1 << 20

Entry = tuple[str, bytes]
Layer = tuple[str, bytes]
Json = dict[str, Any]


@dataclass
class Case:
    """One image and its fate; what is not named is as ``last``."""

    name: str
    row: str
    layers: list[Layer]
    last: str
    """Istio since 1.16, OpenShift Service Mesh since 2.3, Higress: ``ok`` or a part of the text."""
    one: str = ""
    """Istio before 1.16 and OpenShift Service Mesh 2.2."""
    gateway: str = ""
    gcp: str = "alone"
    single: dict[str, str] = field(default_factory=dict)
    """Of one target by its name."""
    body: str = mt.OCI_MANIFEST
    served: str = ""
    config: Layer = (mt.OCI_CONFIG, b"{}")
    platforms: list[dict[str, str] | None] | None = None
    """An index with this image once a platform; a manifest alone if None."""
    pinned: bool = False
    sizes: dict[int, int] = field(default_factory=dict)
    """Layer number -> the size its descriptor claims."""
    extra: dict[str, object] = field(default_factory=dict)
    change: Callable[[Json], None] | None = None
    """Made to the manifest before it is written."""
    change_index: Callable[[Json], None] | None = None
    written: Callable[[bytes], bytes] = bytes
    """The manifest as it is served."""
    index_served: str = mt.OCI_INDEX
    """Its whole Content-Type."""
    depth: int = 1
    """Indexes in one another."""
    lost: bool = False
    """No blob is there."""

    def expected(self, target: str) -> str:
        """``ok``, or a part of the reason."""
        if target in self.single:
            return self.single[target]
        if target == "gcp" and self.gcp == "alone":
            tars = all(kind in {GZ, DGZ} for kind, _ in self.layers)
            return "next to plugin.wasm" if tars else "layer of type"
        if target == "gcp":
            return self.gcp
        if target.startswith("envoy-gateway"):
            return self.gateway or self.last
        return (self.one or self.last) if target in ONE_LAYER else self.last


def readers() -> list[str]:
    """Every target that reads images."""
    return [target.name for target in all_targets() if target.image is not None]


class CaseReader(ImageReader):
    """A case as a store would hand it over."""

    source = "layout"

    def __init__(self, case: Case) -> None:
        blobs = [] if case.lost else [data for _, data in (*case.layers, case.config)]
        self._blobs = {Digest.of(data): data for data in blobs}
        self._case = case

    @cached_property
    def _image(self) -> Manifest | Index:
        case = self._case
        layers = [Descriptor.of(data, kind).as_json() for kind, data in case.layers]
        for number, size in case.sizes.items():
            layers[number]["size"] = size
        body: Json = {"schemaVersion": 2, **case.extra}
        if case.body:
            body["mediaType"] = case.body
        body |= {
            "config": Descriptor.of(case.config[1], case.config[0]).as_json(),
            "layers": layers,
        }
        if case.change:
            case.change(body)
        served = case.served or case.body or mt.OCI_MANIFEST
        return parse(case.written(canonical_json(body)), served, served=case.served)

    @cached_property
    def _documents(self) -> list[Manifest | Index]:
        """The image, and the indexes around it."""
        found = [self._image]
        if self._case.platforms is not None:
            found.append(self._index(self._image, self._case.platforms))
            for _ in range(self._case.depth - 1):
                found.append(self._index(found[-1], [AMD]))
        return found

    def _index(
        self, inner: Manifest | Index, platforms: list[dict[str, str] | None]
    ) -> Manifest | Index:
        row = inner.descriptor.as_json()
        rows = [{**row, **({"platform": found} if found else {})} for found in platforms]
        body: Json = {"schemaVersion": 2, "manifests": rows}
        if self._case.change_index:
            self._case.change_index(body)
        served = self._case.index_served
        return parse(canonical_json(body), served, served=served)

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        if descriptor is None:
            return self._documents[-1]
        return {found.digest: found for found in self._documents}[descriptor.digest]

    def open_blob(self, descriptor: Descriptor) -> io.BytesIO:
        try:
            return io.BytesIO(self._blobs[descriptor.digest])
        except KeyError:
            raise NotFound(f"blob {descriptor.digest}") from None


def tar(*entries: Entry | tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar of files, or of entries made by hand."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return buffer.getvalue()


def packed(*entries: Entry | tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT) -> bytes:
    """The same, gzipped; fast, because contents do not matter here."""
    return gzip.compress(tar(*entries, form=form), 1, mtime=0)


def link(name: str, kind: bytes, to: str = "x") -> tarfile.TarInfo:
    """A directory, a link, a device."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


GOOD = packed(("plugin.wasm", PLUGIN))
WITH_CONFIG = packed(("plugin.wasm", PLUGIN), ("runtime-config.json", b"{}"))
OTHER = packed(("etc/motd", b"hello"))
CONFIG: Layer = (mt.WASM_CONFIG, b"{}")
CONTENT: Layer = (mt.WASM_CONTENT, PLUGIN)
AMD, ARM, WASI = (
    {"os": os, "architecture": a}
    for os, a in (("linux", "amd64"), ("linux", "arm64"), ("wasi", "wasm"))
)
INVALID = "fetched Wasm binary is invalid"
NOT_FOUND = "plugin.wasm not found in the archive"
TWO = "number of layers must be 2 but got 1"
EXPECT_OCI = f"(expect {GZ})"
MUST_BE_ONE = "number of layers must be 1 but got 2"


def cases() -> list[Case]:
    """All of them; names are unique."""
    found = [
        *_formats(),
        *_names(),
        *_bytes(),
        *_layers(),
        *_types(),
        *_indexes(),
        *_sizes(),
        *_curious(),
    ]
    assert len({case.name for case in found}) == len(found)
    return found


def _formats() -> Iterator[Case]:
    yield Case("compat", "2.1 OCI image", [(GZ, GOOD)], OK, gcp=OK)
    yield Case("compat with configuration", "3.2", [(GZ, WITH_CONFIG)], OK)
    yield Case("docker", "2.1 Docker image", [(DGZ, GOOD)], OK, gcp=OK, body=mt.DOCKER_MANIFEST)
    yield Case(
        "docker with configuration",
        "2.1 Docker image",
        [(DGZ, WITH_CONFIG)],
        OK,
        body=mt.DOCKER_MANIFEST,
    )
    yield Case("artifact", "2.1 OCI artifact", [CONFIG, CONTENT], OK)
    yield Case("artifact, content first", "2.1 either position", [CONTENT, CONFIG], OK)
    yield Case(
        "artifact, any second layer",
        "2.1 config layer's type not checked",
        [("a/b", b"z"), CONTENT],
        OK,
    )
    yield Case("artifact, wasme's config", "3 of oci.md", [CONFIG, CONTENT], OK, config=CONFIG)
    yield Case(
        "two content layers",
        "accepted although surprising",
        [CONTENT, (mt.WASM_CONTENT, b"second")],
        OK,
    )
    yield Case("last layer wins over content", "compat wins", [(mt.WASM_CONTENT, b"junk and more"), (GZ, GOOD)], OK,
               one=INVALID)  # fmt: skip
    yield Case(
        "content, then a tar without plugin", "2.1 compat failed", [CONTENT, (GZ, OTHER)], OK
    )


def _names() -> Iterator[Case]:
    """Section 2.2, all rows."""
    for name in ("./plugin.wasm", "/plugin.wasm"):
        yield Case(f"entry {name}", "2.2", [(GZ, packed((name, PLUGIN)))], OK, gcp=OK)
    for name in ("usr/lib/plugin.wasm", "a/b/c/d/plugin.wasm"):
        yield Case(f"entry {name}", "2.2", [(GZ, packed((name, PLUGIN)))], OK)
    for name in ("PLUGIN.WASM", "myplugin.wasm", "extension.wasm", "filter.wasm", "plugin.wasm.bak",
                 "plugin.wat", "Plugin.wasm", "plugin.wasm/inner"):  # fmt: skip
        yield Case(f"entry {name}", "2.2, N13", [(GZ, packed((name, PLUGIN)))], NOT_FOUND)
    for title, entry in (("directory", link("plugin.wasm/", tarfile.DIRTYPE)),
                         ("symbolic link", link("plugin.wasm", tarfile.SYMTYPE)),
                         ("hard link", link("plugin.wasm", tarfile.LNKTYPE)),
                         ("device", link("plugin.wasm", tarfile.CHRTYPE))):  # fmt: skip
        yield Case(
            f"{title} named plugin.wasm",
            "2.2, N20",
            [(GZ, packed(entry))],
            INVALID,
            gcp="no plugin.wasm",
        )
        yield Case(f"{title} before the file", "2.2, N20", [(GZ, packed(entry, ("plugin.wasm", PLUGIN)))], INVALID,
                   gcp=OK)  # fmt: skip
    twice = packed(("plugin.wasm", b"junk and more junk"), ("plugin.wasm", PLUGIN))
    yield Case("junk first", "2.2 first match wins", [(GZ, twice)], INVALID, gcp=OK)
    again = packed(("plugin.wasm", PLUGIN), ("plugin.wasm", b"junk and more junk"))
    yield Case("junk second", "2.2 first match wins", [(GZ, again)], OK, gcp=INVALID)
    for title, form in (("PAX", tarfile.PAX_FORMAT), ("GNU", tarfile.GNU_FORMAT)):
        yield Case(
            f"{title} headers",
            "2.2",
            [(GZ, packed(("plugin.wasm", PLUGIN), form=form))],
            OK,
            gcp=OK,
        )
        long = packed(("d" * 120 + "/plugin.wasm", PLUGIN), form=form)
        yield Case(f"{title} headers, long path", "2.2", [(GZ, long)], OK)
    raw = tar(("plugin.wasm", PLUGIN))
    members = gzip.compress(raw[:700], mtime=0) + gzip.compress(raw[700:], mtime=0)
    yield Case("several gzip members", "2.2", [(GZ, members)], OK, gcp=OK)
    beside = packed(("README.md", b"x" * 5000), ("plugin.wasm", PLUGIN), ("zzz", b"y"))
    yield Case("files around it", "2.2", [(GZ, beside)], OK)


def _bytes() -> Iterator[Case]:
    """Section 2.3, N19, N20."""
    for title, data in (("nothing", b""), ("four bytes", b"\0asm"), ("seven bytes", b"\0asm\1\0\0"),
                        ("text", b"(module)"), ("gzip in the tar", gzip.compress(PLUGIN, mtime=0)),
                        ("a shell script", b"#!/bin/sh\nexit 1\n"), ("an ELF", b"\x7fELF" + bytes(60)),
                        ("another magic", b"\0asn" + PLUGIN[4:])):  # fmt: skip
        yield Case(
            f"compat of {title}",
            "2.3, N20",
            [(GZ, packed(("plugin.wasm", data)))],
            INVALID,
            gcp=INVALID,
        )
        yield Case(f"artifact of {title}", "2.3, N20", [CONFIG, (mt.WASM_CONTENT, data)], INVALID)
    yield Case("docker of text", "2.3, N20", [(DGZ, packed(("plugin.wasm", b"(module)")))], INVALID, gcp=INVALID,
               body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case(
        "gzipped content",
        "N19",
        [CONFIG, (mt.WASM_CONTENT, gzip.compress(PLUGIN, mtime=0))],
        INVALID,
    )
    yield Case(
        "content in a tar",
        "N19",
        [CONFIG, (mt.WASM_CONTENT, tar(("plugin.wasm", PLUGIN)))],
        INVALID,
    )


def _layers() -> Iterator[Case]:
    """N7, N14, N15, N16: how many layers, and which."""
    yield Case("no layers", "N7", [], "number of layers must be greater than zero", one="number of layers must be 1 but got 0",
               gcp="no plugin.wasm")  # fmt: skip
    yield Case("no layers, docker", "N7", [], "number of layers must be greater than zero",
               one="number of layers must be 1 but got 0", gcp="no plugin.wasm", body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case(
        "no layers, second text",
        "N7",
        [],
        "number of layers must be 2 but got 0",
        gcp="no plugin.wasm",
    )
    yield Case("two tars, plugin last", "N15", [(GZ, OTHER), (GZ, GOOD)], OK, one=MUST_BE_ONE)
    yield Case(
        "two tars, plugin first", "N14", [(GZ, GOOD), (GZ, OTHER)], NOT_FOUND, one=MUST_BE_ONE
    )
    yield Case("two tars, docker, plugin last", "N15", [(DGZ, OTHER), (DGZ, GOOD)], OK, one=MUST_BE_ONE,
               body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case("two tars, docker, plugin first", "N14", [(DGZ, GOOD), (DGZ, OTHER)], NOT_FOUND, one=MUST_BE_ONE,
               body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case("three tars, plugin last", "N15", [(GZ, OTHER), (GZ, WITH_CONFIG), (GZ, GOOD)], OK,
               one="number of layers must be 1 but got 3")  # fmt: skip
    yield Case("Red Hat's wording: plugin, then configuration", "4.2, N14",
               [(GZ, GOOD), (GZ, packed(("runtime-config.json", b"{}")))], NOT_FOUND, one=MUST_BE_ONE)  # fmt: skip
    yield Case("configuration, then plugin", "4.2, N15", [(GZ, packed(("runtime-config.json", b"{}"))), (GZ, GOOD)], OK,
               one=MUST_BE_ONE)  # fmt: skip
    yield Case("content alone", "N16", [CONTENT], TWO)
    yield Case("configuration alone", "N16", [CONFIG], TWO)
    for count in (3, 5):
        layers = [CONFIG, CONTENT, *[("a/b", bytes([n])) for n in range(count - 2)]]
        yield Case(
            f"artifact of {count} layers",
            "N16",
            layers,
            f"number of layers must be 2 but got {count}",
        )
    yield Case("Higress's layers", "accepted although surprising, 5 Higress",
               [("application/vnd.module.wasm.spec.v1+yaml", b"a"), ("application/vnd.module.wasm.doc.v1+markdown", b"b"),
                (GZ, GOOD)], OK, one="number of layers must be 1 but got 3")  # fmt: skip
    yield Case("plugin under other files in one layer", "2.2",
               [(GZ, packed(("a", b"1"), ("b", b"2"), ("plugin.wasm", PLUGIN)))], OK)  # fmt: skip


def _types() -> Iterator[Case]:
    """N8, N9, N10, N11, N12, N17: media types, and what is in a layer."""
    for kind in (mt.OCI_LAYER_TAR, "application/vnd.oci.image.layer.v1.tar+zstd",
                 "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"):  # fmt: skip
        yield Case(f"layer of type {kind.rpartition('.')[2]} ({kind.count('.')})", "N8", [(kind, GOOD)],
                   f"invalid media type {kind} {EXPECT_OCI}")  # fmt: skip
    yield Case(
        "docker layer in an OCI manifest",
        "N9",
        [(DGZ, GOOD)],
        f"invalid media type {DGZ} {EXPECT_OCI}",
        gcp=OK,
    )
    yield Case("docker type in the header alone", "N9", [(DGZ, GOOD)], f"invalid media type {DGZ} {EXPECT_OCI}", gcp=OK,
               body="", served=mt.DOCKER_MANIFEST)  # fmt: skip
    docker = "could not extract Wasm file from the image as Docker container"
    yield Case("OCI layer in a docker manifest", "N10", [(GZ, GOOD)], f"{docker} invalid media type {GZ}", gcp=OK,
               body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case("artifact in a docker manifest", "N10", [CONFIG, CONTENT], f"{docker} invalid media type {mt.WASM_CONTENT}",
               one=f"{docker} {MUST_BE_ONE}", body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case("docker body under an OCI header", "accepted although surprising", [(DGZ, GOOD)], OK, gcp=OK,
               body=mt.DOCKER_MANIFEST, served=mt.OCI_MANIFEST)  # fmt: skip
    no_gzip = "gzip: invalid header"
    yield Case(
        "plain tar under a gzip type",
        "N11",
        [(GZ, tar(("plugin.wasm", PLUGIN)))],
        no_gzip,
        gcp=no_gzip,
    )
    yield Case("raw module under a gzip type", "N11", [(GZ, PLUGIN)], no_gzip, gcp=no_gzip)
    yield Case(
        "zstd under a gzip type",
        "N11",
        [(GZ, b"\x28\xb5\x2f\xfd" + bytes(40))],
        no_gzip,
        gcp=no_gzip,
    )
    yield Case("plain tar, docker", "N11", [(DGZ, tar(("plugin.wasm", PLUGIN)))], no_gzip, gcp=no_gzip,
               body=mt.DOCKER_MANIFEST)  # fmt: skip
    yield Case(
        "gzip of no tar",
        "N12",
        [(GZ, gzip.compress(b"short", mtime=0))],
        "unexpected EOF",
        gcp="unexpected EOF",
    )
    yield Case(
        "gzip of a module",
        "N12",
        [(GZ, gzip.compress(PLUGIN, mtime=0))],
        "unexpected EOF",
        gcp="unexpected EOF",
    )
    yield Case("empty tar", "N13", [(GZ, packed())], NOT_FOUND, gcp="no plugin.wasm")
    yield Case("gzip cut inside the plugin", "N22's text", [(GZ, gzip.compress(tar(("plugin.wasm", PLUGIN))[:560], mtime=0))],
               "unexpected EOF", gcp="unexpected EOF")  # fmt: skip
    missing = f"could not find the layer of type {mt.WASM_CONTENT}"
    for kind in (mt.CNCF_WASM, mt.WASM_TO_OCI_CONTENT, "application/octet-stream",
                 "application/vnd.io.solo.wasm.content.layer.v1+wasm"):  # fmt: skip
        yield Case(f"{kind} beside a configuration", "N17", [CONFIG, (kind, PLUGIN)], missing)
        yield Case(f"{kind} alone", "N16", [(kind, PLUGIN)], TWO)
    cncf = (mt.CNCF_CONFIG, b'{"architecture":"wasm","os":"wasip1"}')
    yield Case("CNCF layout", "5 CNCF layout, N16", [(mt.CNCF_WASM, PLUGIN)], TWO, config=cncf)
    yield Case("wasm-to-oci", "5 wasm-to-oci, N16", [(mt.WASM_TO_OCI_CONTENT, PLUGIN)], TWO,
               config=("application/vnd.wasm.config.v1+json", b"{}"))  # fmt: skip
    yield Case(
        "config digest is the content's", "N18", [CONFIG, CONTENT], missing, config=("a/b", PLUGIN)
    )


def _indexes() -> Iterator[Case]:
    """N4, N5, 2.4, and what is accepted by tag."""
    none = "no child with platform linux/amd64 in index"
    for title, layers in (("compat", [(GZ, GOOD)]), ("artifact", [CONFIG, CONTENT])):
        gcp = OK if title == "compat" else "alone"
        for name, platforms in {"amd64": [AMD], "arm64 and amd64": [ARM, AMD], "no platform": [None],
                                "attestation too": [AMD, {"os": "unknown", "architecture": "unknown"}]}.items():  # fmt: skip
            yield Case(
                f"index of {title}, {name}", "2 step 3", layers, OK, gcp=gcp, platforms=platforms
            )
        for name, bad in {"arm64 alone": [ARM], "wasi/wasm alone": [WASI], "empty": []}.items():
            yield Case(f"index of {title}, {name}", "N4", layers, none, gcp=none, platforms=bad)
        yield Case(f"index of {title}, pinned", "N5", layers, "which does not match", gcp=gcp, platforms=[AMD],
                   pinned=True)  # fmt: skip
        yield Case(f"{title}, pinned", "2.4", layers, OK, gcp=gcp, pinned=True)


def _sizes() -> Iterator[Case]:
    """N21, N22, and the limit of 2.1."""
    yield Case(
        "descriptor too small",
        "N21",
        [(GZ, GOOD)],
        "its descriptor says",
        gcp="its descriptor says",
        sizes={0: len(GOOD) - 1},
    )
    yield Case(
        "descriptor too large",
        "N21",
        [CONFIG, CONTENT],
        "its descriptor says",
        sizes={1: len(PLUGIN) + 1},
        gcp="alone",
    )
    big = packed(("big", bytes(257 * MIB)), ("plugin.wasm", PLUGIN))
    old = dict.fromkeys(NO_LIMIT, OK)
    yield Case(
        "257 MiB before the plugin",
        "N22",
        [(GZ, big)],
        "unexpected EOF",
        gcp="unexpected EOF",
        gateway=OK,
        single=old,
    )
    behind = packed(("plugin.wasm", PLUGIN), ("big", bytes(257 * MIB)))
    yield Case("257 MiB behind the plugin", "N22, 2.2", [(GZ, behind)], OK, gcp="unexpected EOF")
    yield Case(
        "255 MiB before the plugin",
        "N22",
        [(GZ, packed(("big", bytes(255 * MIB)), ("plugin.wasm", PLUGIN)))],
        OK,
    )


def _curious() -> Iterator[Case]:
    """Accepted although surprising."""
    for title, layers in (("compat", [(GZ, GOOD)]), ("artifact", [CONFIG, CONTENT])):
        gcp = OK if title == "compat" else "alone"
        for name, config in {"empty config": (mt.OCI_CONFIG, b""), "garbage config": (mt.OCI_CONFIG, b"\xff\0"),
                             "oras's empty config": ("application/vnd.oci.empty.v1+json", b"{}")}.items():  # fmt: skip
            yield Case(
                f"{title} with {name}",
                "accepted although surprising",
                layers,
                OK,
                gcp=gcp,
                config=config,
            )
        yield Case(
            f"{title} without a body type",
            "accepted although surprising",
            layers,
            OK,
            gcp=gcp,
            body="",
        )
        extra: dict[str, object] = {
            "artifactType": "a/b",
            "annotations": {"x": "y"},
            "subject": Descriptor.of(b"s", "a/b").as_json(),
        }
        yield Case(
            f"{title} with everything ignored", "2.1 ignored", layers, OK, gcp=gcp, extra=extra
        )
