"""A Docker engine that is broken, lies or never ends gives an error, and never one of the SDK's."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wasmpack.actions.build import Outputs, write_outputs
from wasmpack.errors import NotFound, WasmpackError
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.variants import filesystem_image
from wasmpack.oci.canonical import parse_json_object
from wasmpack.oci.place import parse_place
from wasmpack.stores import daemon
from wasmpack.stores.session import Session

pytestmark = pytest.mark.dependencies

IMAGE = filesystem_image(b"\0asm\1\0\0\0", None, {})
CONFIG = parse_json_object(IMAGE.blobs[IMAGE.manifest.config.digest], "")
LAYERS = CONFIG["rootfs"]["diff_ids"]  # type: ignore[index,call-overload]
PLACE = parse_place("docker-daemon:x:v1")
LOADED = b'{"stream":"Loaded image: x:v1\\n"}\r\n'
HERE = json.dumps({"Id": "sha256:abc", "RootFS": {"Layers": LAYERS}}).encode()
VERSION = b'{"ApiVersion":"1.43"}'


class Engine:
    """Answers by the end of the path; None is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | None] = {
            "/version": VERSION, "/load": LOADED, "/json": HERE, "/get": b"x",
        }  # fmt: skip
        self.drip = threading.Event()
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_args: object) -> None:
                pass

            def do_GET(self) -> None:
                outer.answer(self)

            def do_POST(self) -> None:
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    while int(self.rfile.readline(), 16):
                        self.rfile.readline()
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        if self.drip.is_set():
            self.never_end(to)
            return
        path = to.path.partition("?")[0]
        body = next((found for end, found in self.answers.items() if path.endswith(end)), None)
        to.send_response(404 if body is None else 200)
        to.send_header("Content-Type", "application/json")
        data = b'{"message":"no such image"}' if body is None else body
        to.send_header("Content-Length", str(len(data)))
        to.end_headers()
        to.wfile.write(data)

    def never_end(self, to: BaseHTTPRequestHandler) -> None:
        to.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while not self.over.wait(0.05):
                to.wfile.write(b"X: y\r\n")
        except OSError:
            pass


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    made = Engine()
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{made.server.server_address[1]}")
    yield made
    made.over.set()
    made.server.shutdown()
    made.server.server_close()


def load() -> None:
    write_outputs(Image(IMAGE), Outputs(place=PLACE), Session())


def read() -> None:
    open_image(PLACE).top  # noqa: B018 - to be read


@pytest.fixture(params=[load, read], ids=["load", "read"])
def use(request: pytest.FixtureRequest) -> Callable[[], None]:
    found: Callable[[], None] = request.param
    return found


def test_a_loaded_image_is_loaded(engine: Engine) -> None:
    load()


LIES: dict[str, tuple[str, bytes | None]] = {
    "an error": ("/load", b'{"error":"no space left on device"}'),
    "an error in detail": ("/load", b'{"errorDetail":{"message":"no space"},"error":"no space"}'),
    "no image": ("/json", None),
    "another image": ("/json", b'{"Id":"sha256:abc","RootFS":{"Layers":["sha256:0"]}}'),
    "no layers": ("/json", b'{"Id":"sha256:abc"}'),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_success_that_is_none_is_an_error(lie: str, engine: Engine) -> None:
    path, body = LIES[lie]
    engine.answers[path] = body
    with pytest.raises(WasmpackError, match="the Docker engine") as caught:
        load()
    assert not isinstance(caught.value, NotFound)


DEEP = b"[" * 100_000
BROKEN = [b"[1]", b"null", b"5", b'"x"', b"\xff", DEEP, b"", b'{"Id":5}', b'{"ApiVersion":5}',
          b'{"ApiVersion":"x.y"}']  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:20]))
@pytest.mark.parametrize("path", ["/version", "/json", "/load", "/get"])
def test_broken_answers(path: str, body: bytes, engine: Engine, use: Callable[[], None]) -> None:
    engine.answers[path] = body
    try:
        use()
    except WasmpackError:
        return
    assert use is load, "what it saves is no archive"


HOSTS = ["tcp://[", "tcp://[::1", "tcp://x:y", "tcp://x:99999", "tcp://", "tcp://a b:1",
         "http://[v1.x]:1", "fd://3", "npipe://x", "x"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_broken_addresses(
    host: str, use: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(WasmpackError, match="no Docker engine answers"):
        use()


SETTINGS = [b"[1]", b"5", b'"x"', b"null", DEEP, b"\xff\xfe", b'{"auths":5}', b'{"auths":{"x":5}}',
            b'{"proxies":5}', b'{"proxies":{"default":5}}', b'{"HttpHeaders":5}',
            b'{"HttpHeaders":{"a":5}}', b'{"credHelpers":5}', b'{"credsStore":5}']  # fmt: skip


@pytest.mark.parametrize("text", SETTINGS, ids=lambda text: repr(text[:30]))
def test_broken_settings(
    text: bytes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_bytes(text)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with contextlib.suppress(WasmpackError):
        load()


def test_an_answer_without_end_is_cut(
    engine: Engine, use: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "_ANSWER", 0.2)
    engine.drip.set()
    with pytest.raises(WasmpackError, match="the Docker engine does not answer"):
        use()
