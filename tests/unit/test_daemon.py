"""A Docker engine that is broken, lies or never ends gives an error, and never one of the SDK's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from email.message import Message
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
from wasmpack.stores import engine as stores_engine
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
        self.headers: list[Message] = []
        self.status = 200
        """Of POST."""
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
        self.headers.append(to.headers)
        path = to.path.partition("?")[0]
        body = next((found for end, found in self.answers.items() if path.endswith(end)), None)
        status = self.status if to.command == "POST" else 200
        to.send_response(404 if body is None else status)
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


@pytest.mark.stress
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


@pytest.mark.parametrize(
    "text", [b'{"HttpHeaders":{"X-Secret":"hunter22"}}', b'{"proxies":5}', b"[1]"], ids=repr
)
def test_the_users_configuration_is_not_read(
    text: bytes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_bytes(text)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    load()
    assert not any("X-Secret" in headers for headers in engine.headers)


@pytest.mark.parametrize("path", ["/version", "/json", "/load"])
def test_an_answer_that_is_too_long(path: str, engine: Engine) -> None:
    engine.answers[path] = (engine.answers[path] or b"") + b" " * (4 << 20)
    with pytest.raises(WasmpackError, match="an answer of more than 4194304 bytes"):
        load()


def test_a_refusal_that_is_too_long(engine: Engine) -> None:
    engine.status = 500
    engine.answers["/load"] = b'{"message":"' + b"x" * (8 << 20) + b'"}'
    with pytest.raises(WasmpackError, match=r"refused: 500 Server Error for .*/load: ") as caught:
        load()
    assert len(caught.value.message) < 400


def test_an_answer_without_end_is_cut(
    engine: Engine, use: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores_engine, "CONNECT_SECONDS", 0.2)
    engine.drip.set()
    with pytest.raises(WasmpackError, match="the Docker engine does not answer"):
        use()
