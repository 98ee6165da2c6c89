"""http(s) URLs: what a server answers, what the fetcher makes of it, what is reported."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wasmpack.actions.validate import Checks, ImageScope
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.fetchers.http import module_of, unboxed
from wasmpack.fetchers.refusal import Refused
from wasmpack.findings import Report
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session

pytestmark = pytest.mark.dependencies

MODULE = b"\0asm\1\0\0\0"
OTHER = b"\0asm\1\0\0\0\0\2\1x"
PAGE = b"<!doctype html><html>not here</html>"


def tar(*files: tuple[str, bytes], folder: str = "") -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        if folder:
            entry = tarfile.TarInfo(folder)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return raw.getvalue()


TAR = tar(("any.name", MODULE), ("plugin.wasm", OTHER))
BOXES = {
    "module": (MODULE, MODULE),
    "gzip": (gzip.compress(MODULE), MODULE),
    "gzip in gzip": (gzip.compress(gzip.compress(MODULE)), MODULE),
    "first file of a tar": (TAR, MODULE),
    "tar.gz": (gzip.compress(TAR), MODULE),
    "gzip in a tar": (tar(("a.gz", gzip.compress(MODULE))), MODULE),
    "a folder first": (tar(("a", MODULE), folder="d"), tar(("a", MODULE), folder="d")),
    "page": (PAGE, PAGE),
    "empty": (b"", b""),
    "magic alone": (b"\0asm", b"\0asm"),
    "cut gzip": (gzip.compress(MODULE, mtime=0)[:-9], gzip.compress(MODULE, mtime=0)[:-9]),
    "cut tar": (TAR[:515], TAR[:515]),
    "gzip of a page": (gzip.compress(PAGE, mtime=0), gzip.compress(PAGE, mtime=0)),
}


@pytest.mark.parametrize(("body", "content"), BOXES.values(), ids=BOXES)
def test_boxes_as_the_fetcher_opens_them(body: bytes, content: bytes) -> None:
    assert unboxed(body) == content


def test_boxes_in_boxes_come_to_an_end() -> None:
    body = MODULE
    for _ in range(40):
        body = gzip.compress(body, mtime=0)
    assert unboxed(body) == body


DIGEST = hashlib.sha256(MODULE).hexdigest()
GZIPPED = gzip.compress(MODULE, mtime=0)
REFUSED = [
    (404, b"", "", "last error: wasm module download request failed: status code 404"),
    (401, b"", "", "status code 401"),
    (204, b"", "", "status code 204"),
    (200, b"", "", "fetched Wasm binary from URL is invalid"),
    (200, PAGE, "", "is invalid: it is a web page"),
    (200, MODULE, "1" * 64, f"module downloaded from URL has checksum {DIGEST}, which does not"),
    (200, GZIPPED, hashlib.sha256(GZIPPED).hexdigest(), "has checksum"),
]


IDS = ["missing", "no access", "no content", "empty", "page", "wrong digest", "digest of the gzip"]


@pytest.mark.parametrize(("status", "body", "checksum", "said"), REFUSED, ids=IDS)
def test_refused_in_the_fetchers_words(status: int, body: bytes, checksum: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        module_of(status, body, checksum, "URL")
    assert said in caught.value.text


def test_the_digest_is_of_the_unpacked_module() -> None:
    assert module_of(200, gzip.compress(TAR), DIGEST, "URL") == MODULE


class _Handler(BaseHTTPRequestHandler):
    seen: list[str | None] = []  # noqa: RUF012 - of the class, for the test

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/gz")
            self.end_headers()
            return
        status, body = {
            "/gz": (200, gzip.compress(MODULE)),
            "/page": (200, PAGE),
            "/none": (204, b""),
            "/broken": (503, b""),
        }.get(self.path, (404, PAGE))
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def judged(url: str, more: str = "", *, read: bool = True) -> Report:
    text = (
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: p}\n"
        f"spec: {{url: '{url}'{more}}}\n"
    )
    session = Session(registry=RegistryOptions(username="me", password="hunter2", timeout=5))
    checks = Checks(targets=("istio-1.31",))
    documents = read_documents(text.encode(), "f")
    return validate_wasmplugin(documents, "f", checks, session, images=ImageScope(read=read))


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


@pytest.mark.stress
@pytest.mark.parametrize(
    ("path", "more", "code"),
    [
        ("/missing", "", "WPL025"),
        ("/none", "", "WPL025"),
        ("/page", "", "WPL025"),
        ("/gz", f", sha256: '{'1' * 64}'", "WPL025"),
        ("/broken", "", "WPL015"),
        ("/gz", f", sha256: {DIGEST}, imagePullSecret: s", "WPL013"),
    ],
)
def test_what_is_behind_a_url_is_judged(path: str, more: str, code: str, server: str) -> None:
    assert code in codes(judged(server + path, more))


@pytest.mark.stress
def test_the_module_behind_a_redirect_is_judged_without_our_login(server: str) -> None:
    _Handler.seen.clear()
    report = judged(f"{server}/moved", f", sha256: {DIGEST}")
    assert any(code.startswith("ABI") for code in codes(report))
    assert _Handler.seen == [None, None]


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        report = judged(f"http://127.0.0.1:{taken.getsockname()[1]}/p.wasm")
    assert codes(report) == {"WPL005", "WPL007", "WPL015"}
    assert {f.severity for f in report.findings if f.code == "WPL015"} == {"warning"}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("", {("WPL007", "info")}),
        (", imagePullPolicy: Always", {("WPL007", "warning")}),
        (f", sha256: {'a' * 64}", set()),
    ],
)
def test_a_file_that_can_change(more: str, found: set[tuple[str, str]]) -> None:
    report = judged("https://r.example/p.wasm", more, read=False)
    assert {(f.code, f.severity) for f in report.findings} - {("WPL023", "info")} == found


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "me:pw@[::1]:80"])
def test_a_server_that_is_the_proxy_itself(host: str) -> None:
    report = judged(f"http://{host}/p.wasm", read=False)
    (finding,) = [f for f in report.findings if f.code == "WPL005"]
    assert "is the proxy itself" in finding.message
    assert "pw" not in str(report)


def test_what_is_not_fetched_is_not_silently_accepted() -> None:
    report = judged("https://r.example/p.wasm", read=False)
    (finding,) = [f for f in report.findings if f.code != "WPL007"]
    assert (finding.code, finding.severity) == ("WPL023", "info")
