"""Images and registries that mean harm: refused, in little memory, with a reason."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import Cli
from support.peak import Watched, watched
from support.plugins import PLUGINS
from support.tars import END, file, header, pax_sparse, record, special

from wasmpack.oci import media_types as mt
from wasmpack.oci.descriptor import Digest

C = (PLUGINS / "header-append-c.wasm").read_bytes()
MEGABYTES = 150
"""More than any of it may take, with everything that is loaded."""
CODES = {0, 3, 4, 6, 7}
VERBS = {
    "inspect": ["inspect", "image", "oci:image:v1"],
    "validate": ["validate", "image", "oci:image:v1"],
    "extract": ["extract", "oci:image:v1", "-o", "out/inner"],
    "copy": ["copy", "oci:image:v1", "oci:copied:v1"],
    "copy --all": ["copy", "oci:image:v1", "oci:all:v1", "--all", "--referrers"],
    "repack": ["repack", "oci:image:v1", "oci:repacked:v1"],
}


class Made:
    """A layout that is written as it is told, right or wrong."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "image"
        (self.root / "blobs" / "sha256").mkdir(parents=True)
        (self.root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes, media_type: str, **more: object) -> dict[str, object]:
        digest = Digest.of(data)
        (self.root / "blobs" / "sha256" / digest.hex).write_bytes(data)
        return {"mediaType": media_type, "digest": str(digest), "size": len(data), **more}

    def path(self, blob: dict[str, object]) -> Path:
        return self.root / "blobs" / "sha256" / str(blob["digest"]).partition(":")[2]

    def manifest(self, layers: list[dict[str, object]], **more: object) -> dict[str, object]:
        config = more.pop("config", None) or self.blob(b"{}", mt.OCI_CONFIG)
        body = {"schemaVersion": 2, "mediaType": mt.OCI_MANIFEST, "config": config,
                "layers": layers, **more}  # fmt: skip
        return self.blob(json.dumps(body).encode(), mt.OCI_MANIFEST)

    def index(self, *children: dict[str, object]) -> dict[str, object]:
        body = {"schemaVersion": 2, "mediaType": mt.OCI_INDEX, "manifests": list(children)}
        return self.blob(json.dumps(body).encode(), mt.OCI_INDEX)

    def done(self, top: dict[str, object]) -> None:
        named = {**top, "annotations": {"org.opencontainers.image.ref.name": "v1"}}
        body = {"schemaVersion": 2, "manifests": [named]}
        (self.root / "index.json").write_text(json.dumps(body))


def tar_of(*members: tuple[str, bytes | None, bytes]) -> bytes:
    """(name, type or None for a file, content or link target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, content in members:
            entry = tarfile.TarInfo(name)
            if kind is None:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
                continue
            entry.type, entry.linkname = kind, content.decode()
            archive.addfile(entry)
    return gzip.compress(buffer.getvalue(), 1)


def claims(size: int) -> bytes:
    """A tar entry that says it is so large, and ends."""
    entry = tarfile.TarInfo("plugin.wasm")
    entry.size = size
    return gzip.compress(entry.tobuf() + C)


MIB = 1 << 20
ZEROS = gzip.compress(bytes(MIB), 9, mtime=0)
"""A member of zeros, compressed once: members may follow each other."""
PLUGIN = file(b"plugin.wasm", C)


def packed(tar: bytes) -> bytes:
    return gzip.compress(tar + END, 1)


def filled(start: bytes, megabytes: int, end: bytes = END, piece: bytes = ZEROS) -> bytes:
    """A large tar in a small layer: so many times the same member between a start and an end."""
    return gzip.compress(start, 1) + piece * megabytes + gzip.compress(end, 1)


def each(entry: Callable[[int], bytes], count: int, piece: int = 1000) -> bytes:
    """Many entries, then the plugin."""
    starts = range(0, count, piece)
    parts = (b"".join(entry(n) for n in range(at, min(at + piece, count))) for at in starts)
    return b"".join(gzip.compress(part, 1) for part in parts) + packed(PLUGIN)


def often(special_header: bytes, count: int) -> bytes:
    """One header many times over, then the plugin."""
    return gzip.compress(special_header, 9) * count + packed(PLUGIN)


NUMBERS = b"0," * (MIB // 2)
TARS = {
    "path traversal": tar_of(("../../../plugin.wasm", None, C), ("../../evil", None, b"x")),
    "absolute path": tar_of(("/etc/plugin.wasm", None, C)),
    "symbolic link": tar_of(("plugin.wasm", tarfile.SYMTYPE, b"/etc/passwd")),
    "hard link": tar_of(("a", None, C), ("plugin.wasm", tarfile.LNKTYPE, b"a")),
    "a link before the file": tar_of(("d", tarfile.SYMTYPE, b"/tmp"), ("d/plugin.wasm", None, C)),
    "device node": tar_of(("plugin.wasm", tarfile.CHRTYPE, b"")),
    "named pipe": tar_of(("plugin.wasm", tarfile.FIFOTYPE, b"")),
    "gzip bomb": gzip.compress(bytes(600 << 20), 1),
    "bomb in the file": tar_of(("plugin.wasm", None, C + bytes(100 << 20))),
    "10 GB claim": claims(10_000_000_000),
    "negative size": gzip.compress(
        tarfile.TarInfo("plugin.wasm").tobuf().replace(b"00000000000", b"-0000000001") + C
    ),
    "many entries": tar_of(
        *[(f"f{n}", None, b"") for n in range(20_000)], ("plugin.wasm", None, C)
    ),
    "no gzip": b"\x1f\x8b\x08" + b"\xff" * 100,
    "length of 400,000 digits": packed(special(b"x", b"1" * 400_000) + PLUGIN),
    "length of 400,000 digits, then a blank": packed(special(b"x", b"1" * 400_000 + b" ") + PLUGIN),
    "PAX header of 2 MiB": packed(special(b"x", record(b"a", bytes(2 * MIB))) + PLUGIN),
    "long name of 300 MiB": filled(header(b"././@LongLink", 300 * MIB, b"L"), 300),
    "400 long names for one entry": often(special(b"L", b"a" * (MIB - 1)), 400),
    "60 million records": often(special(b"x", b"6 a=b\n" * 150_000), 400),
    "long names": each(lambda n: special(b"L", b"d/%06d" % n + b"n" * 3000) + file(b"x"), 60_000),
    "PAX names": each(lambda n: special(b"x", record(b"path", b"%d" % n)) + file(b"x"), 60_000),
    "200,000 entries": each(lambda n: file(b"%d" % n), 200_000),
    "empty gzip members": gzip.compress(b"") * (MIB // 20) + packed(PLUGIN),
    "endless name in the gzip header": b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * (4 * MIB),
    "10 GB hole": packed(pax_sparse(b"plugin.wasm", "x", [], 10_000_000_000, b"")),
    "sparse map of a million parts": packed(
        pax_sparse(b"x", "x", [b"0"] * 500_000, 0, b"") + PLUGIN
    ),
    "hole, a bomb": packed(pax_sparse(b"plugin.wasm", "x", [], 250_000_000, b"")),
    "plugin of zeros, a bomb": filled(header(b"plugin.wasm", 250 * MIB), 250),
    "plugin of 400 MiB, a bomb": filled(header(b"plugin.wasm", 400 * MIB), 400),
    "configuration, a bomb": filled(
        PLUGIN + header(b"runtime-config.json", 200 * MIB), 200, piece=gzip.compress(NUMBERS)
    ),
    "configuration of a million faults": packed(
        PLUGIN
        + file(
            b"runtime-config.json",
            b'{"type":"envoy_proxy","config":{"rootIds":[' + NUMBERS * 10 + b"0]}}",
        )
    ),
    "configuration, deep": packed(
        PLUGIN
        + file(
            b"runtime-config.json",
            b'{"type":"envoy_proxy","config":{"x":' + b"[" * 930 + b"]" * 930 + b"}}",
        )
    ),
    "old manifest, a bomb": filled(
        PLUGIN + header(b"manifest.yaml", 200 * MIB),
        200,
        piece=gzip.compress(b"- a\n" * (MIB // 4)),
    ),
    "module gzipped alone, a bomb": gzip.compress(C) + ZEROS * 400,
    "gzip in gzip in gzip": gzip.compress(gzip.compress(packed(PLUGIN))),
    "size over 63 bits": packed(header(b"plugin.wasm", b"\x80\0\0\0" + b"\xff" * 8) + C),
    "negative size in base 256": packed(header(b"plugin.wasm", b"\xff" * 12) + C),
    "names of half a million folders": packed(
        b"".join(special(b"L", b"a/" * 500_000) + file(b"x", C) for _ in range(40))
    ),
}
LARGE = {"long names", "names of half a million folders"}
"""Not bombs, but more than what is usual."""


def attempt(verb: str, command: str, folder: Path) -> Watched:
    done = watched(command, *VERBS[verb], cwd=folder)
    assert done.code in CODES, done.err
    assert "internal error" not in done.err
    assert "Traceback" not in done.err
    return done


@pytest.mark.parametrize("name", TARS)
def test_layers(name: str, wasmpack_command: str, tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.done(made.manifest([made.blob(TARS[name], mt.OCI_LAYER_TAR_GZIP)]))
    before = set(tmp_path.rglob("*"))
    for verb in ("inspect", "validate", "extract", "repack"):
        done = attempt(verb, wasmpack_command, tmp_path)
        most = 700 if "bomb" in name or name in LARGE else MEGABYTES  # meshes unpack 256 MiB
        assert done.megabytes < most, (verb, done.megabytes)
    new = {path.relative_to(tmp_path).parts[0] for path in set(tmp_path.rglob("*")) - before}
    assert new <= {"out", "repacked"}
    assert not Path("/etc/plugin.wasm").exists()
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written <= {"plugin.wasm", "runtime-config.json"}


def large_claims(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    return made.manifest([made.blob(b"{}", mt.WASM_CONFIG), {**layer, "size": 10_000_000_000}])


def small_claims(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    return made.manifest([made.blob(b"{}", mt.WASM_CONFIG), {**layer, "size": 10}])


def deep_json(made: Made) -> dict[str, object]:
    return made.blob(b'{"layers":' + b"[" * 500_000 + b"]" * 500_000 + b"}", mt.OCI_MANIFEST)


def large_manifest(made: Made) -> dict[str, object]:
    return made.blob(b'{"a":"' + b"x" * (5 << 20) + b'"}', mt.OCI_MANIFEST)


def many_layers(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    return made.manifest([layer] * 15_000)


def nested(made: Made) -> dict[str, object]:
    top = made.manifest([made.blob(C, mt.WASM_CONTENT)])
    for _ in range(1500):
        top = made.index(top)
    return top


def wide(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    return made.index(*(made.manifest([layer], annotations={"n": str(n)}) for n in range(1500)))


def path_for_digest(made: Made) -> dict[str, object]:
    layer = {**made.blob(C, mt.WASM_CONTENT), "digest": "sha256:../../../../etc/passwd"}
    return made.manifest([layer])


def upper_case_digest(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    return made.manifest([{**layer, "digest": str(layer["digest"]).upper()}])


def another_content(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    path = made.path(layer)
    path.write_bytes(C[:-1] + b"?")
    return made.manifest([made.blob(b"{}", mt.WASM_CONFIG), layer])


def linked(made: Made, target: str) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    made.path(layer).unlink()
    made.path(layer).symlink_to(target)
    return made.manifest([made.blob(b"{}", mt.WASM_CONFIG), layer])


def blob_is_a_link(made: Made) -> dict[str, object]:
    return linked(made, "/etc/passwd")


def blob_is_a_device(made: Made) -> dict[str, object]:
    return linked(made, "/dev/zero")


def index_that_says_manifest(made: Made) -> dict[str, object]:
    index = made.index(made.manifest([made.blob(C, mt.WASM_CONTENT)]))
    return {**index, "mediaType": mt.OCI_MANIFEST}


def refers_to_itself(made: Made) -> dict[str, object]:
    layer = made.blob(C, mt.WASM_CONTENT)
    image = made.manifest([layer])
    return made.manifest([layer], subject=image)


def odd_descriptor(made: Made) -> dict[str, object]:
    return made.manifest([{"mediaType": [], "digest": None, "size": -1}])


def size_is_deep(made: Made) -> dict[str, object]:
    layer = json.dumps({**made.blob(C, mt.WASM_CONTENT), "size": "deep"})
    deep = layer.replace('"deep"', "[" * 930 + "]" * 930)
    return made.blob(f'{{"config": {deep}, "layers": []}}'.encode(), mt.OCI_MANIFEST)


def platform_is_deep(made: Made) -> dict[str, object]:
    value: object = []
    for _ in range(190):
        value = [value]
    image = made.manifest([made.blob(packed(PLUGIN), mt.OCI_LAYER_TAR_GZIP)])
    return made.index({**image, "platform": {"os": value, "architecture": value}})


def one_child_often(made: Made) -> dict[str, object]:
    image = made.manifest([made.blob(C, mt.OCI_LAYER_TAR_GZIP)])
    return made.index(*[{**image, "platform": {"os": "a", "architecture": "b"}}] * 20_000)


def children_of_many_entries(made: Made) -> dict[str, object]:
    tar = b"".join(file(b"%d" % n) for n in range(20_000))
    layer = made.blob(packed(tar), mt.OCI_LAYER_TAR_GZIP)
    other = {"os": "linux", "architecture": "arm64"}
    return made.index(
        *({**made.manifest([layer], annotations={"n": str(n)}), "platform": other}
          for n in range(900))
    )  # fmt: skip


def layers_of_their_own(made: Made) -> dict[str, object]:
    return made.manifest([made.blob(b"%d" % n, mt.OCI_LAYER_TAR_GZIP) for n in range(3000)])


def layer_of_many_entries_often(made: Made) -> dict[str, object]:
    tar = b"".join(file(b"%d" % n) for n in range(60_000))
    return made.manifest([made.blob(packed(tar), mt.OCI_LAYER_TAR_GZIP)] * 127)


def long_texts(made: Made) -> dict[str, object]:
    layer = made.blob(packed(PLUGIN), mt.OCI_LAYER_TAR_GZIP)
    long = "x" * 1_000_000
    return made.manifest([layer, {**layer, "mediaType": long}], annotations={long: long})


MANIFESTS = [
    size_is_deep, platform_is_deep, one_child_often, children_of_many_entries, layers_of_their_own,
    layer_of_many_entries_often, long_texts,
    large_claims, small_claims, deep_json, large_manifest, many_layers, nested, wide,
    path_for_digest, upper_case_digest, another_content, blob_is_a_link, blob_is_a_device,
    index_that_says_manifest, refers_to_itself, odd_descriptor,
]  # fmt: skip
REFUSED_BY_COPY = {
    "large_claims": 7, "small_claims": 7, "deep_json": 3, "large_manifest": 3, "nested": 3,
    "path_for_digest": 3, "upper_case_digest": 3, "another_content": 7, "blob_is_a_link": 7,
    "blob_is_a_device": 3, "odd_descriptor": 3, "size_is_deep": 3, "one_child_often": 3,
    "children_of_many_entries": 3, "platform_is_deep": 3,
}  # fmt: skip


@pytest.mark.parametrize("make", MANIFESTS, ids=lambda make: make.__name__)
def test_manifests(make: object, wasmpack_command: str, tmp_path: Path) -> None:
    made = Made(tmp_path)
    assert callable(make)
    made.done(make(made))
    name = make.__name__
    for verb in VERBS:
        done = attempt(verb, wasmpack_command, tmp_path)
        assert done.megabytes < MEGABYTES, (verb, done.megabytes)
        if verb == "copy" and name in REFUSED_BY_COPY:
            assert done.code == REFUSED_BY_COPY[name], done.err
            assert done.err.startswith("error: ")
    if name in {"nested", "wide"}:
        assert attempt("copy --all", wasmpack_command, tmp_path).code == 3


def twelve_layers(made: Made) -> list[dict[str, object]]:
    heads = [header(b"f%d" % n, 250 * MIB) for n in range(12)]
    return [made.blob(filled(head, 250), mt.OCI_LAYER_TAR_GZIP) for head in heads]


def one_layer_twelve_times(made: Made) -> list[dict[str, object]]:
    return [made.blob(filled(header(b"f", 250 * MIB), 250), mt.OCI_LAYER_TAR_GZIP)] * 12


def twelve_modules(made: Made) -> list[dict[str, object]]:
    head = b"\0asm\1\0\0\0"
    starts = [header(b"m%d.wasm" % n, 250 * MIB) + head for n in range(12)]
    return [
        made.blob(filled(start, 249, bytes(MIB - len(head)) + END), mt.OCI_LAYER_TAR_GZIP)
        for start in starts
    ]


def whiteouts(made: Made) -> list[dict[str, object]]:
    below = b"".join(file(b"d/%d.wasm" % n, b"\0asm\1\0\0\0") for n in range(50_000))
    above = b"".join(file(b"d/.wh.%d.wasm" % n) for n in range(50_000))
    return [made.blob(packed(tar), mt.OCI_LAYER_TAR_GZIP) for tar in (below, above)]


@pytest.mark.parametrize(
    "make", [twelve_layers, one_layer_twelve_times, twelve_modules, whiteouts],
    ids=lambda make: make.__name__,
)  # fmt: skip
def test_many_layers_cost_no_more_than_one(
    make: Callable[[Made], list[dict[str, object]]], wasmpack_command: str, tmp_path: Path
) -> None:
    made = Made(tmp_path)
    made.done(made.manifest(make(made)))
    for verb in ("inspect", "validate", "extract", "repack", "copy"):
        done = attempt(verb, wasmpack_command, tmp_path)
        most = 700 if make is twelve_modules else MEGABYTES
        assert done.megabytes < most, (verb, done.megabytes)


ARCHIVES = {
    "offset over 63 bits": header(b"index.json", b"\x80\0\0\0\x7f" + b"\xff" * 7) + END,
    "length of 400,000 digits": special(b"x", b"1" * 400_000) + file(b"index.json", b"{}") + END,
    "200,000 entries": b"".join(file(b"%d" % n) for n in range(200_000)) + END,
    "deep index": file(b"index.json", b"[" * 1_000_000) + END,
    "index is null": file(b"index.json", b"null") + END,
    "index is a link": header(b"index.json", 0, b"2", {157: b"/etc/passwd"}) + END,
    "nothing": b"",
    "text": b"text" * 1000,
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives(name: str, wasmpack_command: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(ARCHIVES[name])
    done = watched(wasmpack_command, "inspect", "image", "oci-archive:a.tar", cwd=tmp_path)
    assert done.code == 3, done.err
    assert done.err.startswith("error: a.tar: ")
    assert done.megabytes < MEGABYTES


@pytest.mark.parametrize(
    "place",
    ["a" * 300, "./" + "a" * 300, "~" + "a" * 300, "a" * 300 + ".tar", "oci:" + "a" * 300,
     "oci-archive:" + "a" * 300, "oci:" + "d/" * 3000, b"oci:\xff", b"\xff", b"./\xff.tar",
     f"quay.io/{'a' * 240}:{'t' * 128}", "a" * 230 + ":" + "t" * 128, "docker-daemon:" + "a" * 300,
     "localhost:99999/a/b", "[::::]/a/b"],
)  # fmt: skip
def test_places(place: str | bytes, cli: Cli) -> None:
    done = cli("inspect", "image", place if isinstance(place, str) else os.fsdecode(place))
    assert done.code in {1, 2, 4, 6}, done.err
    assert done.err.startswith(("error: ", "quay.io/"))
    assert "internal error" not in done.err


class Endless(BaseHTTPRequestHandler):
    """Answers that do not end."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if "/tags/" in self.path:
            body = b'{"tags": ["a"]}'
            self.send_response_only(200)
            self.send_header("Link", f'<{self.path}>; rel="next"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        if "/token" in self.path or "/manifests/" in self.path:
            self._for_ever()
            return
        self.send_response_only(401)
        realm = f"http://{self.headers['Host']}/token"
        self.send_header("WWW-Authenticate", f'Bearer realm="{realm}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _for_ever(self) -> None:
        self.send_response_only(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(b"[" * 65536)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """The client has hung up, as it should."""


@pytest.fixture
def endless() -> Iterator[str]:
    with Quiet(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_registries_that_do_not_end(endless: str, wasmpack_command: str, cli: Cli) -> None:
    for words, code in ((["pull", f"{endless}/a/b:v1"], 3), (["tags", f"{endless}/a/b"], 6)):
        done = watched(wasmpack_command, *words)
        assert done.code == code, done.err
        assert done.megabytes < MEGABYTES
    ended = cli("login", endless, "-u", "me", "--password-stdin", stdin=b"secret")
    assert ended.code == 6, ended.err
    assert "secret" not in ended.err
