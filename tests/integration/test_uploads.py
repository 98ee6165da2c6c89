"""BlobPush as registries differ: in one request, in chunks, mounted, and after a break."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from wasmpack.errors import DigestMismatch, RegistryUnavailable
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus
from wasmpack.stores.registry import upload
from wasmpack.stores.registry.client import RegistryClient
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.verified import VerifiedStream

CHUNK = 10_000
DATA = bytes(range(256)) * 200
RANGE = re.compile(r"(\d+)-(\d+)")


class Strict(BaseHTTPRequestHandler):
    """A registry that checks every offset, length and query, as the specification has it."""

    protocol_version = "HTTP/1.1"
    server: StrictServer

    def do_POST(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        body = self._body()
        self._note("POST", len(body))
        if "mount" in query and self.server.mount_status:
            return self._answer(self.server.mount_status)
        if "mount" in query and query["from"] == ["team/source"]:
            self.server.blobs[query["mount"][0]] = b"mounted"
            return self._answer(201, Location="/v2/x")
        if "digest" in query and self.server.one_request:
            return self._keep(query["digest"][0], body)
        if "digest" in query and self.server.refuses_bodies:
            return self._answer(int(self.server.refuses_bodies))
        self.server.opened += 1
        self.server.received = b""
        return self._answer(202, Location=self.server.bad_place or self.server.place())

    def do_PATCH(self) -> None:
        if self.server.break_at == len(self.server.received):
            self.server.break_at = -1
            self.server.received += self.rfile.read(CHUNK // 2)
            self.server.version += 1
            return self.connection.shutdown(socket.SHUT_RDWR)
        body = self._body()
        self._note("PATCH", len(body))
        first, last = map(int, RANGE.fullmatch(self.headers["Content-Range"]).groups())  # type: ignore[union-attr]
        assert last - first + 1 == len(body)
        if self.path != self.server.place() or first != len(self.server.received):
            return self._answer(416, Location=self.server.place(), Range=self.server.range())
        self.server.received += b"" if self.server.forgets else body[: self.server.keeps]
        if self.server.forget:
            self.server.received = self.server.received[: -self.server.forget]
            self.server.forget = 0
        self.server.version += 1
        return self._answer(202, Location=self.server.place(), Range=self.server.range())

    def do_PUT(self) -> None:
        if self.server.drop_puts:
            self.server.drop_puts -= 1
            self.server.received = self.rfile.read(CHUNK)
            return self.connection.shutdown(socket.SHUT_RDWR)
        size = int(self.headers["Content-Length"])
        if size > self.server.most:
            self._note("PUT", 0)
            self.close_connection = True
            return self._answer(413)
        body = self._body()
        self._note("PUT", len(body))
        if self.server.lose_answers:
            self.server.lose_answers -= 1
            self.server.blobs["sha256:" + hashlib.sha256(body).hexdigest()] = body
            return self.connection.shutdown(socket.SHUT_RDWR)
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        assert query["state"] == [""], "a blank parameter of the registry's own is kept"
        return self._keep(query["digest"][0], self.server.received + body)

    def do_GET(self) -> None:
        self._note("GET", 0)
        parts = urlsplit(self.path)
        if parts.path.endswith("/tags/list"):
            return self._page(int(parse_qs(parts.query).get("last", ["0"])[0]))
        if self.server.tells:
            return self._answer(204, Location=self.server.place(), Range=self.server.range())
        return self._answer(404)

    def _page(self, first: int) -> None:
        last = first + 2
        body = json.dumps({"tags": [f"t{n}" for n in range(first, min(last, 5))]}).encode()
        self.send_response_only(200)
        if last < 5:
            self.send_header("Link", f'</v2/team/plugin/tags/list?last={last}&n=2>; rel="next"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_DELETE(self) -> None:
        self._note("DELETE", 0)
        self._answer(204)

    def do_HEAD(self) -> None:
        self._answer(200 if self.path.rpartition("/")[2] in self.server.blobs else 404)

    def _keep(self, digest: str, data: bytes) -> None:
        if digest != "sha256:" + hashlib.sha256(data).hexdigest():
            return self._answer(400)
        self.server.blobs[digest] = data
        return self._answer(201, Location="/v2/x")

    def _body(self) -> bytes:
        size = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(size)

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def _note(self, method: str, size: int) -> None:
        self.server.seen.append((method, size))

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response_only(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if self.server.least:
            self.send_header("OCI-Chunk-Min-Length", str(self.server.least))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class StrictServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Strict)
        self.blobs: dict[str, bytes] = {}
        self.seen: list[tuple[str, int]] = []
        self.received = b""
        self.version = self.opened = self.least = self.drop_puts = self.forget = 0
        self.most = 1 << 30
        self.break_at = -1
        self.keeps: int | None = None
        self.one_request = self.forgets = False
        self.refuses_bodies = self.mount_status = self.lose_answers = self.connections = 0
        self.bad_place = ""
        self.tells = True

    def place(self) -> str:
        return f"/upload/{self.version}?state=&x=a%2Bb"

    def range(self) -> str:
        return f"0-{max(0, len(self.received) - 1)}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Closed on purpose."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictServer]:
    monkeypatch.setattr(upload, "_CHUNK", CHUNK)
    with StrictServer() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def put(
    server: StrictServer, data: bytes = DATA, *, mount_from: str = "", retries: int = 4
) -> BlobStatus:
    descriptor = Descriptor.of(data, "a/b")
    name = Reference.parse(f"127.0.0.1:{server.server_port}/team/plugin:v1")
    options = RegistryOptions(retries=retries)
    client = RegistryClient(name, options, "pull,push", mount_from=mount_from)
    status = client.put_blob(descriptor, lambda: VerifiedStream(io.BytesIO(data), descriptor))
    assert server.blobs[str(descriptor.digest)] in (data, b"mounted")
    return status


def test_in_one_put(server: StrictServer) -> None:
    assert put(server) is BlobStatus.UPLOADED
    assert server.seen == [("POST", 0), ("PUT", len(DATA))]


def test_a_small_blob_in_one_request_where_it_is_taken(server: StrictServer) -> None:
    server.one_request = True
    put(server, b"small")
    assert server.seen == [("POST", 5)]


def test_a_small_blob_where_the_short_way_is_not_known(server: StrictServer) -> None:
    put(server, b"small")
    assert server.seen == [("POST", 5), ("PUT", 5)]
    server.seen.clear()
    server.refuses_bodies = 400
    put(server, b"other")
    assert server.seen == [("POST", 5), ("POST", 0), ("PUT", 5)]


def test_an_empty_blob(server: StrictServer) -> None:
    put(server, b"")
    assert server.blobs == {"sha256:" + hashlib.sha256().hexdigest(): b""}


def test_mounted(server: StrictServer) -> None:
    assert put(server, mount_from="team/source") is BlobStatus.MOUNTED
    assert server.seen == [("POST", 0)]


def test_not_mounted(server: StrictServer) -> None:
    assert put(server, mount_from="team/other") is BlobStatus.UPLOADED
    assert server.seen == [("POST", 0), ("PUT", len(DATA))]


@pytest.mark.parametrize(("least", "size"), [(1, CHUNK), (CHUNK * 2, CHUNK * 2)])
def test_chunks_of_the_size_that_is_asked_for(server: StrictServer, least: int, size: int) -> None:
    server.least = least
    put(server)
    chunks = [length for method, length in server.seen if method == "PATCH"]
    assert sum(chunks) == len(DATA)
    assert set(chunks[:-1]) == {size}
    assert server.seen[-1] == ("PUT", 0)


def test_chunks_where_one_request_is_too_large(server: StrictServer) -> None:
    """A proxy's usual limit is a megabyte, for any request."""
    server.most = 1 << 20
    data = bytes(range(256)) * 10_000
    put(server, data)
    assert server.opened == 2
    chunks = [length for method, length in server.seen if method == "PATCH"]
    assert sum(chunks) == len(data)
    assert max(chunks) <= server.most


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500])
def test_a_mount_that_is_refused(server: StrictServer, status: int) -> None:
    server.mount_status = status
    assert put(server, mount_from="team/source") is BlobStatus.UPLOADED


@pytest.mark.parametrize("status", [400, 404, 405, 500])
def test_a_short_way_that_is_refused(server: StrictServer, status: int) -> None:
    server.refuses_bodies = status
    put(server, b"small")
    assert server.seen[-2:] == [("POST", 0), ("PUT", 5)], "the long way, once and for all"


def test_a_registry_that_keeps_nothing_of_a_chunk(server: StrictServer) -> None:
    server.least, server.forgets = 1, True
    with pytest.raises(RegistryUnavailable, match="refuses its bytes"):
        put(server, retries=1)
    assert len([method for method, _ in server.seen if method == "PATCH"]) < 9


def test_a_registry_that_keeps_a_few_bytes_of_each_chunk(server: StrictServer) -> None:
    """All the rest would be sent again for every few bytes."""
    server.least, server.keeps = 1, 5
    with pytest.raises(RegistryUnavailable, match="keeps too few bytes"):
        put(server, retries=2)
    assert len([method for method, _ in server.seen if method == "PATCH"]) == 3


def test_an_answer_that_is_lost(server: StrictServer) -> None:
    """The blob was taken: it is not sent again."""
    server.lose_answers = 1
    put(server)
    assert [method for method, _ in server.seen].count("PUT") == 1


def test_places_that_are_none(server: StrictServer) -> None:
    server.bad_place = "http://[::1/x"
    with pytest.raises(RegistryUnavailable, match="sends us to"):
        put(server)


def test_connections_are_used_again(server: StrictServer) -> None:
    name = Reference.parse(f"127.0.0.1:{server.server_port}/team/plugin:v1")
    client = RegistryClient(name, RegistryOptions(), "pull,push")
    descriptor = Descriptor.of(DATA, "a/b")
    for _ in range(3):
        client.has_blob(descriptor)
        client.put_blob(descriptor, lambda: VerifiedStream(io.BytesIO(DATA), descriptor))
    assert server.connections == 1


@pytest.mark.parametrize("again", [False, True], ids=["new connection", "old connection"])
def test_each_piece_of_a_body_has_the_whole_timeout(
    again: bool, server: StrictServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry may be slow with all of it, but not with a piece; connecting is another thing."""
    sent: list[tuple[int, float | None]] = []
    send = http.client.HTTPConnection.send

    def noted(connection: http.client.HTTPConnection, data: bytes) -> None:
        send(connection, data)
        sent.append((len(data), connection.sock.gettimeout()))

    monkeypatch.setattr("wasmpack.stores.registry.exchange.CONNECTING", 20.0)
    monkeypatch.setattr(http.client.HTTPConnection, "send", noted)
    data = bytes(4 << 20)
    descriptor = Descriptor.of(data, "a/b")
    name = Reference.parse(f"127.0.0.1:{server.server_port}/team/plugin:v1")
    client = RegistryClient(name, RegistryOptions(timeout=77.0, retries=0), "pull,push")
    if again:
        client.has_blob(descriptor)
    client.put_blob(descriptor, lambda: VerifiedStream(io.BytesIO(data), descriptor))
    assert server.seen == [("POST", 0), ("PUT", len(data))]
    assert server.connections == 1
    assert sum(size for size, _ in sent) > len(data)
    assert max(size for size, _ in sent) <= 1 << 16
    assert {timeout for _, timeout in sent} == {77.0}


def test_a_chunk_that_is_not_kept_whole_is_sent_from_there(server: StrictServer) -> None:
    server.least, server.forget = 1, 3_000
    put(server)
    assert sum(length for method, length in server.seen if method == "PATCH") == len(DATA) + 3_000


def test_a_broken_chunk_goes_on_where_the_registry_is(server: StrictServer) -> None:
    server.least, server.break_at = 1, 2 * CHUNK
    put(server)
    assert server.opened == 1, "the upload goes on"
    assert ("GET", 0) in server.seen
    sent = sum(length for method, length in server.seen if method == "PATCH")
    assert sent == len(DATA) - CHUNK // 2, "what came in before the break is not sent again"


def test_a_broken_put_goes_on_in_chunks(server: StrictServer) -> None:
    server.drop_puts = 1
    put(server)
    assert server.opened == 1
    sent = sum(length for method, length in server.seen if method == "PATCH")
    assert sent == len(DATA) - CHUNK


def test_a_registry_that_does_not_tell_gets_all_again(server: StrictServer) -> None:
    server.drop_puts, server.tells = 1, False
    put(server)
    assert server.opened == 2
    assert server.seen[-1] == ("PUT", len(DATA))


def test_a_source_that_changes_is_not_pushed(server: StrictServer) -> None:
    descriptor = Descriptor.of(DATA, "a/b")
    name = Reference.parse(f"127.0.0.1:{server.server_port}/team/plugin:v1")
    client = RegistryClient(name, RegistryOptions(), "pull,push")
    other = bytes(len(DATA))
    with pytest.raises(DigestMismatch):
        client.put_blob(descriptor, lambda: VerifiedStream(io.BytesIO(other), descriptor))
    assert server.blobs == {}
    assert ("DELETE", 0) in server.seen, "the registry is told that no more will come"


def test_chunks_that_are_too_large_to_ask_for(server: StrictServer) -> None:
    server.least = 1 << 31
    with pytest.raises(RegistryUnavailable, match="wants chunks of at least"):
        put(server)


def test_tags_on_several_pages(server: StrictServer) -> None:
    name = Reference.parse(f"127.0.0.1:{server.server_port}/team/plugin:v1")
    assert RegistryClient(name, RegistryOptions()).tags() == ["t0", "t1", "t2", "t3", "t4"]
    assert len(server.seen) == 3
