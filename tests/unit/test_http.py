"""http(s) URLs: what a server answers, what the fetcher makes of it, what is reported."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import socket
import ssl
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from support.faults.raw import RawServer, answer

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.render import render_wasmplugin
from wasmpack.actions.render_source import RenderRequest
from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.fetchers.http import module_of, unboxed
from wasmpack.fetchers.refusal import Refused
from wasmpack.findings import Report
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.kinds import Kind
from wasmpack.mesh.templates import Values
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
    (200, PAGE, "", "fetched Wasm binary from URL is invalid"),
    (200, MODULE, "1" * 64, f"module downloaded from URL has checksum {DIGEST}, which does not"),
    (200, GZIPPED, hashlib.sha256(GZIPPED).hexdigest(), "has checksum"),
]


IDS = ["missing", "no access", "no content", "empty", "page", "wrong digest", "digest of the gzip"]


@pytest.mark.parametrize(("status", "body", "checksum", "said"), REFUSED, ids=IDS)
def test_refused_in_the_fetchers_words(status: int, body: bytes, checksum: str, said: str) -> None:
    with pytest.raises(Refused) as caught:
        module_of(status, body, checksum, "URL")
    assert said in caught.value.text


OTHER_FILES = {
    "page": (PAGE, "it is a web page"),
    "gzip of a page": (gzip.compress(PAGE), "it is a web page"),
    "zip": (b"PK\3\4" + bytes(30), "it is a zip archive"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(30), "it is compressed by zstd"),
    "text": (b"(module)", "it is WebAssembly text"),
    "cut gzip": (GZIPPED[:-9], "it is gzip that cannot be read"),
    "README first": (tar(("README", b"hi"), ("a.wasm", MODULE)), "the tar's first file is not a"),
    "zip in a tar.gz": (gzip.compress(tar(("a", b"PK\3\4"))), "the tar's first file is a zip"),
    "folder first": (tar(("a", MODULE), folder="d"), "the tar's first file is not a Wasm module"),
    "empty": (b"", "it is not a Wasm module"),
}


@pytest.mark.parametrize(("body", "why"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_another_file_is_named_outside_of_the_quotes(body: bytes, why: str) -> None:
    with pytest.raises(Refused) as caught:
        module_of(200, body, "", "URL")
    assert f"'fetched Wasm binary from URL is invalid': {why}" in caught.value.said
    assert "only gzip and tar are unpacked" in str(caught.value.hint)


def test_the_digest_is_of_the_unpacked_module() -> None:
    assert module_of(200, gzip.compress(TAR), DIGEST, "URL") == MODULE


MOVED = {"/moved": "/gz", "/loop": "/loop", "/moved-10": "/gz"}
MOVED |= {f"/moved-{n}": f"/moved-{n + 1}" for n in range(1, 10)}


class _Handler(BaseHTTPRequestHandler):
    seen: list[str | None] = []  # noqa: RUF012 - of the class, for the test

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        own = f"http://{self.headers['Host']}"
        if self.path in (places := {**MOVED, "/moved-far": f"{own}/gz"}):
            self.send_response(302)
            self.send_header("Location", places[self.path])
            self.end_headers()
            return
        status, body = {
            "/gz": (200, gzip.compress(MODULE)),
            "/page": (200, PAGE),
            "/none": (204, b""),
            "/broken": (503, b""),
            "/busy": (429, b""),
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


def judged(url: str, more: str = "", *, read: bool = True, **options: Any) -> Report:
    text = (
        "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: p}\n"
        f"spec: {{url: '{url}'{more}}}\n"
    )
    options = {"username": "me", "password": "hunter2", "timeout": 5, **options}
    session = Session(registry=RegistryOptions(**options))
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
        ("/busy", "", "WPL015"),
        ("/loop", "", "WPL025"),
        ("/moved-1", "", "WPL025"),
        ("/moved-2", "", "ABI001"),
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


def with_login(server: str, path: str) -> str:
    return f"{server}{path}".replace("://", "://ann:hunter%323@")


@pytest.mark.stress
@pytest.mark.parametrize(
    ("path", "sent_on"), [("/moved", True), ("/moved-far", False)], ids=["path", "address"]
)
def test_the_login_in_a_url_goes_to_its_own_server_as_basic(
    path: str, sent_on: bool, server: str
) -> None:
    """And with a redirect only if that names no host, as Go's client has it."""
    _Handler.seen.clear()
    report = judged(with_login(server, path), f", sha256: {DIGEST}")
    login = f"Basic {base64.b64encode(b'ann:hunter23').decode()}"
    assert any(code.startswith("ABI") for code in codes(report))
    assert _Handler.seen == [login, login if sent_on else None]


@pytest.mark.parametrize("path", ["/missing", "/page", "/broken"])
def test_the_login_in_a_url_is_not_shown(path: str, server: str) -> None:
    assert "hunter" not in str(judged(with_login(server, path)))


def test_problems_of_a_url_are_those_of_a_server_and_a_module(server: str) -> None:
    (finding,) = [f for f in judged(f"{server}/broken").findings if f.code == "WPL015"]
    assert f"server {server.removeprefix('http://')} answered 503" in finding.message
    assert "image" not in finding.message


def render(url: str, **more: Any) -> Report:
    given = Values(fields=more.pop("fields", {}))
    request = RenderRequest(source=url, targets=["istio-1.31"], given=given, **more)
    return render_wasmplugin(request).report


@pytest.mark.stress
@pytest.mark.parametrize("kind", [Kind.WASM_PLUGIN, Kind.ENVOY_FILTER])
def test_what_the_fetcher_refuses_is_not_written(kind: Kind, server: str) -> None:
    for path, fields in (("/page", {}), ("/gz", {"sha256": "1" * 64})):
        with pytest.raises(RejectedArtifact) as caught:
            render(server + path, kind=kind, fields=fields)
        assert "WPL025" in codes(caught.value.report)
        assert "WPL025" not in codes(render(server + path, kind=kind, fields=fields, look=False))
    with pytest.raises(RejectedArtifact) as caught:
        render(f"{server}/gz", kind=kind, fields={"sha256": DIGEST})
    assert any(code.startswith("ABI") for code in codes(caught.value.report))


@pytest.mark.stress
@pytest.mark.parametrize("path", ["/missing", "/broken"])
def test_a_module_that_may_come_is_written_with_a_warning(path: str, server: str) -> None:
    """As an image that was not pushed yet."""
    assert "WPL015" in codes(render(server + path))


@pytest.mark.stress
@pytest.mark.parametrize("how", ["insecure", "ca_file"])
def test_the_mesh_has_to_trust_the_server_too(
    how: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    options = {"insecure": True} if how == "insecure" else {"ca_file": str(tmp_path / "ca.pem")}
    with RawServer(lambda *_: iter([answer(body=MODULE)]), tls=context) as server:
        host = server.host
        report = judged(f"https://{host}/p.wasm", **options)
    (finding,) = (found for found in report.findings if found.code == "WPL027")
    assert f"WASM_INSECURE_REGISTRIES={host} " in str(finding.hint)
    assert not recwarn.list


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
