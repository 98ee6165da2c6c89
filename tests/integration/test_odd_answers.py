"""Registries that answer beyond HTTP: byte by byte, without end, with nonsense, or elsewhere.

The command ends with a sentence and exit code 6, and never takes the blame for it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
import trustme
from support.faults.raw import OK, Pieces, RawServer, Script, answer, drip, endless
from support.faults.tidy import BLOBS, MANIFESTS, TAGS, tidy
from support.images import image_of, keep

from wasmpack.errors import RegistryUnavailable
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.media_types import OCI_INDEX
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry import pages, retries
from wasmpack.stores.registry.client import RegistryClient
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.verified import VerifiedStream

REFUSED, UNREACHABLE, MISMATCH = 5, 6, 7
SAFETY_NET = 60
"""Seconds; all of it takes three timeouts of one second, and what starting takes."""
IMAGE = image_of(1)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(wasmpack_command: str, tmp_path: Path) -> Run:
    """The command, which has to end, with one try and a timeout of a second."""

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> Ended:
        done = subprocess.run(
            [wasmpack_command, *arguments, "--timeout", "1", "--retries", "0"],
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            timeout=SAFETY_NET,
        )
        err = done.stderr.decode()
        assert "internal error" not in err
        assert "Traceback" not in err
        return Ended(done.returncode, done.stdout.decode(), err)

    return run


def always(pieces: Callable[[], Pieces] | bytes) -> Script:
    return lambda _request, _headers: iter([pieces]) if isinstance(pieces, bytes) else pieces()


def after(head: bytes, pieces: Pieces) -> Pieces:
    return chain([head], pieces)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LONG = OK + b"Content-Length: 1000000\r\n\r\n"
ZIPPED = OK + b"Content-Encoding: gzip\r\n\r\n"
GZIP_NAME = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"
"""The start of a gzip file whose name follows (RFC 1952 2.3)."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEADS: dict[str, Callable[[], Pieces]] = {
    "the status line drips": lambda: drip(b"HTTP/1.1 200 Okay"),
    "a header drips": lambda: drip(OK + b"X: y"),
    "header lines drip": lambda: after(OK, endless(b"X: y\r\n", 0.4)),
    "100 Continue, fast": lambda: endless(CONTINUE),
    "100 Continue, slow": lambda: endless(CONTINUE, 0.4),
    "103 Early Hints": lambda: endless(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
}
BODIES: dict[str, Callable[[], Pieces]] = {
    "a body drips": lambda: after(LONG, endless(b" ", 0.2)),
    "a body without a length drips": lambda: after(OK + b"\r\n", endless(b" ", 0.2)),
    "a chunk's size drips": lambda: after(CHUNKED, drip(b"5;x=y")),
    "chunks drip": lambda: after(CHUNKED, endless(b"1\r\n \r\n", 0.2)),
    "a trailer drips": lambda: after(CHUNKED + b"0\r\n", drip(b"X: y")),
    "trailers, fast": lambda: after(CHUNKED + b"0\r\n", endless(b"X: y\r\n" * 1000)),
    "a gzip header, fast": lambda: after(ZIPPED + GZIP_NAME, endless(b"x" * 10_000)),
}


@pytest.mark.parametrize("name", [*HEADS, *BODIES])
def test_an_answer_that_does_not_end(name: str, run: Run) -> None:
    odd = always({**HEADS, **BODIES}[name])
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": odd})) as server:
        done = run("tags", f"{server.host}/a/b")
    assert done.code == UNREACHABLE, done.err
    assert done.out == ""


@pytest.mark.parametrize("name", BODIES)
def test_a_blob_that_does_not_end(name: str, run: Run) -> None:
    """The gzip header is not decoded, and has no end either: another digest."""
    module = IMAGE.manifest.layers[1].digest
    odd = always(BODIES[name])
    with RawServer(tidy(IMAGE, {f"GET {BLOBS}{module}": odd})) as server:
        done = run("pull", f"{server.host}/a/b:v1")
    assert done.code in {UNREACHABLE, MISMATCH}, done.err


PUSH = ["push", "{host}/a/b:v1", "--no-validate"]
PULL = ["pull", "{host}/a/b:v1"]
PLACES: dict[str, tuple[list[str], str]] = {
    "manifest": (PULL, f"GET {MANIFESTS}"),
    "digest": (["digest", "--remote", "{host}/a/b:v1"], f"(GET|HEAD) {MANIFESTS}"),
    "blob": (PULL, f"GET {BLOBS}"),
    "referrers": (
        ["copy", "docker://{host}/a/b:v1", "oci:x:v1", "--referrers"], "GET /v2/a/b/referrers",
    ),
    "blob, asked for": (PUSH, f"HEAD {BLOBS}"),
    "upload, opened": (PUSH, "POST"),
    "upload, closed": (PUSH, "PUT /upload"),
    "manifest, pushed": (PUSH, f"PUT {MANIFESTS}"),
    "token": (["tags", "{host}/a/b"], "GET /token"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_every_kind_of_answer_has_to_end(place: str, run: Run) -> None:
    arguments, pattern = PLACES[place]
    odd = {pattern: always(lambda: drip(OK + b"X: y"))}
    if place == "token":
        odd[f"GET {TAGS}"] = lambda _, headers: iter([challenge(headers)])
    with RawServer(tidy(IMAGE, odd, empty=arguments is PUSH)) as server:
        if arguments is PUSH:
            keep(IMAGE, Path(os.environ["WASMPACK_STORE"]), f"{server.host}/a/b:v1")
        done = run(*(argument.format(host=server.host) for argument in arguments))
    assert done.code == UNREACHABLE, done.err
    assert "no complete answer within" in done.err


def challenge(headers: Mapping[str, str]) -> bytes:
    realm = f"http://{headers['host']}/token"
    return answer("401 Unauthorized", headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})


def test_what_an_error_says_is_not_waited_for(run: Run) -> None:
    head = b"HTTP/1.1 500 Oh\r\nContent-Length: 1000000\r\n\r\n"
    odd = always(lambda: after(head, endless(b" ", 0.2)))
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": odd})) as server:
        done = run("tags", f"{server.host}/a/b")
    assert done.code == UNREACHABLE
    assert "500 Internal Server Error" in done.err


@pytest.mark.parametrize("name", ["a header drips", "a chunk's size drips"])
def test_tls_is_no_excuse(name: str, run: Run) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    odd = always({**HEADS, **BODIES}[name])
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": odd}), tls=context) as server:
        done = run("tags", f"{server.host}/a/b", "--insecure")
    assert done.code == UNREACHABLE
    assert "no complete answer within 3 s" in done.err


def test_a_name_that_is_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver may take minutes, and cannot be broken off."""
    over = threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        over.wait(SAFETY_NET)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    options = RegistryOptions(timeout=0.1, retries=0)
    with pytest.raises(RegistryUnavailable, match=r"no complete answer within 0\.3 s"):
        RegistryClient(Reference.parse("registry.invalid/a/b"), options).tags()
    assert not over.is_set()
    over.set()


def test_an_encoding_that_nobody_asked_for_is_decoded(run: Run) -> None:
    body = gzip.compress(b'{"tags":["v1"]}')
    odd = always(answer(body=body, headers={"Content-Encoding": "gzip"}))
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": odd})) as server:
        assert run("tags", f"{server.host}/a/b").out == "v1\n"


def test_several_interim_answers_are_skipped(run: Run) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    odd = always(CONTINUE * 3 + hints + answer(body=b'{"tags":["v1"]}'))
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": odd})) as server:
        assert run("tags", f"{server.host}/a/b").out == "v1\n"


def test_a_handshake_that_drips(run: Run) -> None:
    odd = always(lambda: drip(b"\x16\x03\x03\x40\x00"))
    with RawServer(odd, at_once=True) as server:
        done = run("tags", f"{server.host}/a/b", "--insecure")
    assert done.code == UNREACHABLE, done.err


@pytest.mark.parametrize("name", ["the status line drips", "header lines", "100 Continue, fast"])
def test_a_proxy_whose_answer_does_not_end(name: str, run: Run) -> None:
    lines = {"header lines": lambda: after(b"HTTP/1.1 200 OK\r\n", endless(b"X: y\r\n"))}
    with RawServer(always({**HEADS, **lines}[name])) as proxy:
        env = {"HTTPS_PROXY": f"http://{proxy.host}"}
        done = run("tags", "registry.invalid/a/b", env=env)
    assert proxy.seen == ["CONNECT registry.invalid:443 HTTP/1.0"]
    assert done.code == UNREACHABLE, done.err


def headed(*lines: str, status: str = "200 OK", body: bytes = b'{"tags":[]}') -> bytes:
    """An answer with these header lines alone, and none that we add."""
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""])
    return head.encode("latin-1") + body


LONGEST_LINE = 65_000
NONSENSE: dict[str, bytes] = {
    "nothing": b"",
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "another version": b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of words": b"HTTP/1.1 two-hundred OK\r\n\r\n",
    "a status out of range": b"HTTP/1.1 99 Low\r\n\r\n",
    "an unknown status": answer("799 Odd"),
    "switching protocols": answer("101 Switching Protocols"),
    "a long status line": b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
    "a long header": headed("X: " + "x" * 70_000),
    "many headers": headed(*["X: y"] * 200),
    "header bytes beyond ASCII": headed("X-\xff: \xe9\x00", "Content-Length: 9", body=b"\xff" * 9),
    "an early end": headed("Content-Length: 50", body=b"{}"),
    "two lengths": headed("Content-Length: 5", "Content-Length: 6"),
    "a chunk's size without end": CHUNKED + b"f" * 70_000,
    "a chunk's size of words": CHUNKED + b"many\r\n",
    "a negative chunk": CHUNKED + b"-5\r\n{}",
    "an early end of chunks": CHUNKED + b"5\r\n{}",
    "not gzip": headed("Content-Encoding: gzip", body=b"{}"),
    "a gzip bomb": headed("Content-Encoding: gzip", body=gzip.compress(bytes(100 << 20), 1)),
    "gzip in gzip": headed(
        "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip", body=gzip.compress(b"{}")
    ),
    "not JSON": answer(body=b"<html>"),
    "JSON of another kind": answer(body=b"[]"),
    "JSON that nests": answer(body=b"[" * 200_000),
    "a number of too many digits": answer(body=b'{"tags":%s}' % (b"9" * 5000)),
    "half a character": answer(body=b'{"tags":["\\ud800"]}'),
    "a key twice": answer(body=b'{"tags":["a"],"tags":[]}'),
    "tags of another kind": answer(body=b'{"tags":{"a":1}}'),
    "a tag of another kind": answer(body=b'{"tags":["a",1]}'),
    "a large page": answer(body=b'{"tags":[%s"a"]}' % (b'"a",' * (2 << 20))),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_the_registrys(name: str, run: Run) -> None:
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": once(NONSENSE[name])})) as server:
        done = run("tags", f"{server.host}/a/b")
    assert done.code == UNREACHABLE, done.err
    assert done.out == ""


def once(data: bytes) -> Script:
    """And then the end of the connection."""

    def script(_request: str, _headers: dict[str, str]) -> Pieces:
        yield data
        raise ConnectionAbortedError

    return script


ODD_HEADS = {
    **{f"length {length!r}": [f"Content-Length: {length}"] for length in
       ("-1", "+2", "2_0", "x", "", "\xb2", "9" * 5000)},
    "without a colon": ["nothing", "Content-Length: 15"],
    "cookies": ["Set-Cookie: " + "a=b; " * 5000] * 90,
    "a cookie's date": ["Set-Cookie: a=b; expires=" + "1" * 30_000],
    "warnings": ["Warning: " + '299 - "\\' * 4000],
    "links": ["Link: " + '<' * 30_000 + ';rel="' * 5000],
    "a type": ["Content-Type: " + "x;" * 30_000],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_HEADS)
def test_odd_headers_of_a_whole_answer(name: str, run: Run) -> None:
    """What cannot be meant is left out: the answer ends with the connection, if not before."""
    odd = once(headed(*ODD_HEADS[name], body=b'{"tags":["v1"]}'))
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": odd})) as server:
        done = run("tags", f"{server.host}/a/b")
    assert (done.code, done.out) in {(0, "v1\n"), (UNREACHABLE, "")}, done.err


CHALLENGES = {
    "commas": "," * LONGEST_LINE,
    "quotes": '"' * LONGEST_LINE,
    "backslashes": 'Bearer realm="' + "\\" * LONGEST_LINE,
    "schemes": "Bearer " * 9_000,
    "equals signs": "Bearer realm=" + "=" * LONGEST_LINE,
    "spaces": "Bearer realm" + " " * LONGEST_LINE,
    "names": "a" * LONGEST_LINE,
    "nothing": "",
    "half a quote": 'Bearer realm="http://',
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_odd_challenges(name: str, run: Run) -> None:
    odd = answer("401 Unauthorized", headers={"WWW-Authenticate": CHALLENGES[name]})
    with RawServer(tidy(IMAGE, {f"GET {TAGS}": always(odd)})) as server:
        done = run("tags", f"{server.host}/a/b")
    assert done.code in {REFUSED, UNREACHABLE}, done.err


LOCATIONS = {
    "half an address": "http://[",
    "not an address": "http://[::zz]/",
    "a large port": "https://h:99999/x",
    "a negative port": "https://h:-1/",
    "port 0": "https://h:0/",
    "a port in other digits": "http://h:\u0663/".encode().decode("latin-1"),
    "a long label": f"https://{'a' * 64}.example/",
    "an empty label": "http://a..b/",
    "a long name": f"https://{'a.' * 200}example/",
    "no host": "https:///x",
    "a user": "https://me:hunter2@127.0.0.1/x",
    "NUL": "https://h\x00/",
    "a tab": "https://h\t.example/",
    "backslashes": "https://h\\@g/",
    "percent": "https://%68/",
    "beyond ASCII": "https://\xe9.example/",
    "another scheme": "ftp://h/x",
    "a script": "javascript:1",
    "a zone": "http://[fe80::1%25lo]/",
}
WAYS: dict[str, tuple[list[str], str, Callable[[str], bytes]]] = {
    "redirect": (
        ["tags", "{host}/a/b"], f"GET {TAGS}",
        lambda place: answer("307 Temporary Redirect", headers={"Location": place}),
    ),
    "upload": (PUSH, "POST", lambda place: answer("202 Accepted", headers={"Location": place})),
    "page": (
        ["tags", "{host}/a/b"], f"GET {TAGS}",
        lambda place: answer(body=b"{}", headers={"Link": f"<{place}>; rel=next"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCATIONS)
@pytest.mark.parametrize("way", WAYS)
def test_places_that_cannot_be(way: str, name: str) -> None:
    _, pattern, made = WAYS[way]
    odd = {pattern: always(made(LOCATIONS[name]))}
    with (
        RawServer(tidy(IMAGE, odd, empty=True)) as server,
        pytest.raises(RegistryUnavailable) as caught,
    ):
        ask(server, way)
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("name", LOCATIONS)
def test_realms_that_cannot_be(name: str) -> None:
    realm = f'Bearer realm="{LOCATIONS[name]}"'
    odd = answer("401 Unauthorized", headers={"WWW-Authenticate": realm})
    with (
        RawServer(tidy(IMAGE, {f"GET {TAGS}": always(odd)})) as server,
        pytest.raises(RegistryUnavailable, match="token server") as caught,
    ):
        ask(server, "tags")
    assert "hunter2" not in caught.value.message


def client_of(server: RawServer) -> RegistryClient:
    options = RegistryOptions(timeout=60.0, retries=0)
    return RegistryClient(Reference.parse(f"{server.host}/a/b"), options, "pull,push")


def ask(server: RawServer, way: str) -> None:
    """In this process: nothing of it waits."""
    client = client_of(server)
    if way == "upload":
        data = bytes(5000)
        descriptor = Descriptor.of(data, "a/b")
        client.put_blob(descriptor, lambda: VerifiedStream(io.BytesIO(data), descriptor))
    else:
        client.tags()


def test_pages_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 5)
    with RawServer(lambda request, _: iter([page(request)])) as server:
        with pytest.raises(RegistryUnavailable, match=r"pages without end \(5 read\)"):
            ask(server, "tags")
        assert len(server.seen) == 5


@pytest.mark.parametrize("tags", ["[]", '["one"]'], ids=["empty", "one tag"])
def test_pages_that_bring_next_to_nothing_count_as_silence(
    tags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 30)
    monkeypatch.setattr(retries, "TIMEOUT", 0.5)

    def script(request: str, _headers: dict[str, str]) -> Pieces:
        yield 0.2
        yield page(request, tags)

    with (
        RawServer(script) as server,
        pytest.raises(RegistryUnavailable, match="its pages come too slowly"),
    ):
        ask(server, "tags")


def test_slow_pages_that_bring_something_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 5)
    monkeypatch.setattr(retries, "TIMEOUT", 0.0)
    full = json.dumps(["t" * 100] * 20)
    with (
        RawServer(lambda request, _: iter([page(request, full)])) as server,
        pytest.raises(RegistryUnavailable, match="pages without end"),
    ):
        ask(server, "tags")


@pytest.mark.parametrize(("bound", "most"), [("MOST_BYTES", 100), ("MOST_ROWS", 5)])
def test_pages_that_come_to_too_much(
    bound: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a shorter list without an error."""
    monkeypatch.setattr(pages, bound, most)
    with (
        RawServer(lambda request, _: iter([page(request)])) as server,
        pytest.raises(RegistryUnavailable, match="a list too long to read"),
    ):
        ask(server, "tags")


def page(request: str, tags: str = '["one","two"]') -> bytes:
    """Each one has another next one."""
    number = int(request.partition("n=")[2].partition(" ")[0] or "0")
    link = f'<{TAGS}list?n={number + 1}>; rel="next"'
    return answer(body=f'{{"tags":{tags}}}'.encode(), headers={"Link": link})


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/v2/a/b/tags/list?n=1", "https://{host}/v2/a/b/tags/list?n=1"]
)
def test_the_next_page_is_on_the_registry(target: str) -> None:
    def script(_request: str, headers: dict[str, str]) -> Pieces:
        link = f"<{target.format(host=headers['host'])}>; rel=next"
        yield answer(body=b'{"tags":["a"]}', headers={"Link": link})

    with RawServer(script) as server:
        with pytest.raises(RegistryUnavailable, match=r"the next page is at .* not at"):
            ask(server, "tags")
        assert len(server.seen) == 1


def test_a_redirected_page_goes_on_at_the_registry() -> None:
    """A relative ``Link`` of another host is read as the registry's."""

    def script(request: str, headers: dict[str, str]) -> Pieces:
        if " /v2/a/b/tags/list " in request:
            place = f"http://{elsewhere.host}/mirror/list"
            yield answer("307 Temporary Redirect", headers={"Location": place})
        elif "/mirror/" in request:
            yield answer(body=b'{"tags":["a"]}', headers={"Link": '</v2/a/b/more>; rel="next"'})
        else:
            yield answer(body=b'{"tags":["b"]}')

    with RawServer(script) as elsewhere, RawServer(script) as server:
        ask(server, "tags")
        assert [line.split()[1] for line in server.seen] == ["/v2/a/b/tags/list", "/v2/a/b/more"]
        assert [line.split()[1] for line in elsewhere.seen] == ["/mirror/list"]


def test_half_a_list_of_referrers_is_an_error() -> None:
    """The fallback by tag is for registries without the API, not for a broken second page."""

    def script(request: str, _headers: dict[str, str]) -> Pieces:
        if "more" in request or "manifests" in request:
            yield answer("404 Not Found")
            return
        kind = {"Content-Type": OCI_INDEX, "Link": "</v2/a/b/more>; rel=next"}
        yield answer(body=b'{"manifests":[]}', headers=kind)

    with RawServer(script) as server, pytest.raises(RegistryUnavailable, match="next page"):
        client_of(server).referrers(Digest.of(b""))


DIGESTS = ["x", "sha256:", "sha256:../../x", "sha256:" + "A" * 64, "md5:" + "0" * 32, "\xe9\x00",
           "sha256:" + "0" * 63 + " ", "9" * 60_000]  # fmt: skip


@pytest.mark.parametrize("digest", DIGESTS, ids=lambda digest: repr(digest)[:20])
def test_digests_that_cannot_be(digest: str) -> None:
    """The body is the truth; the header is a warning, in a few words."""
    told: list[str] = []
    odd = answer(body=IMAGE.manifest.raw, headers={"Docker-Content-Digest": digest})
    with RawServer(
        lambda request, _: iter([odd[: -len(IMAGE.manifest.raw)] if "HEAD" in request else odd])
    ) as server:
        name = Reference.parse(f"{server.host}/a/b")
        client = RegistryClient(name, RegistryOptions(retries=0), "pull,push", notice=told.append)
        assert client.manifest("v1").digest == IMAGE.manifest.digest
        assert client.manifest_digest("v1") == IMAGE.manifest.digest
        client.put_manifest(IMAGE.manifest, "v1")
    assert len(told) == 1
    assert len(told[0]) < 1000
