"""The Docker engine's HTTP API: the calls that are needed, bounded and on a deadline.

Of the docker SDK only the way to an engine is used (``DOCKER_HOST``, Unix sockets, TLS, SSH): its
client reads answers whole, however large, and the user's configuration with the logins in it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from typing import IO, TypeVar
from urllib.parse import quote

import docker
import requests
import urllib3
from docker.constants import DEFAULT_USER_AGENT
from docker.transport import UnixHTTPAdapter
from docker.utils import kwargs_from_env, parse_host

from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.oci.canonical import JsonValue, find, parse_json
from wasmpack.stores.registry.deadline import Deadline, Overdue, in_time
from wasmpack.stores.registry.stall import read_up_to

CONNECT_SECONDS = 30.0
"""For the engine to say that it is one."""
WORK_SECONDS = 600.0
"""For loading or saving an image."""
MOST_JSON = 4 << 20
"""Bytes of an answer that is not an image."""
_READ_SECONDS = 60
"""Without a byte, as in the SDK."""
_PIECE = 2 << 20
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_BROKEN = (OSError, ValueError, TypeError, AttributeError, LookupError, HTTPException)
"""Raised by the SDK and HTTP libraries for settings and answers that are broken."""
_SHOWN = 300
"""Characters of the engine's words."""
T = TypeVar("T")


class Engine:
    """An engine that answers."""

    def __init__(self) -> None:
        """Connect, and ask for the version of the API, which is part of every other address."""
        self._session, self._root = _way_to_engine()
        version = find(self._json("/version"), str, "ApiVersion") or ""
        if not _VERSION.fullmatch(version):
            raise ValueError(f"invalid API version {version[:_SHOWN]!r}")
        self._root += f"/v{version}"

    def close(self) -> None:
        """Give the connections up."""
        self._session.close()

    def inspect(self, name: str) -> JsonValue:
        """The engine's description of an image.

        :raises NotFound: no such image
        """
        return self._json(f"/images/{quote(name, safe='/:')}/json")

    def save(self, name: str) -> Iterator[bytes]:
        """The archive of an image, as it comes.

        :raises NotFound: no such image
        """
        image_id = find(self.inspect(name), str, "Id")
        if image_id is None:
            raise ValueError("an image without an Id")
        with self._answer("GET", f"/images/{quote(image_id, safe='/:')}/get") as response:
            while data := response.raw.read1(_PIECE, decode_content=True):
                yield data

    def load(self, archive: IO[bytes]) -> str:
        """Load an archive; the first error that the engine reports, behind a status of 200."""
        with self._answer("POST", "/images/load", archive) as response:
            rows = _read(response).splitlines()
        return next((error for row in rows if (error := _error_in(row))), "")

    def _json(self, path: str) -> JsonValue:
        with self._answer("GET", path) as response:
            raw = _read(response)
        try:
            return parse_json(raw, "its answer")
        except BadArtifact as error:
            raise ValueError(error.message) from error

    @contextmanager
    def _answer(
        self, method: str, path: str, data: IO[bytes] | None = None
    ) -> Iterator[requests.Response]:
        """An answer to read from.

        :raises NotFound: the engine has no such image
        """
        with self._session.request(
            method,
            self._root + path,
            data=data,
            stream=True,
            timeout=_READ_SECONDS,
            allow_redirects=False,
        ) as response:
            if response.status_code != 200:
                raise _refusal(response)
            yield response


def ask_engine(work: Callable[[Engine], T]) -> T:
    """Let the engine work, for as long as a deadline allows.

    :raises NotFound: the engine has no such image
    :raises WasmpackError: no engine, or one that refuses, fails or does not answer
    """
    with _reported("no Docker engine answers", "start it, or check DOCKER_HOST"):
        engine = in_time(Engine, Deadline(CONNECT_SECONDS), Engine.close)
    with closing(engine), _reported("the Docker engine refused"):
        return in_time(lambda: work(engine), Deadline(WORK_SECONDS), lambda _: None)


@contextmanager
def _reported(what: str, hint: str = "") -> Iterator[None]:
    """Turn whatever is raised on the way into an error of ours."""
    try:
        yield
    except Overdue as error:
        raise WasmpackError(f"the Docker engine does not answer: {error}", hint=hint) from error
    except (docker.errors.DockerException, urllib3.exceptions.HTTPError, *_BROKEN) as error:
        raise WasmpackError(f"{what}: {str(error)[:_SHOWN]}", hint=hint) from error


def _way_to_engine() -> tuple[requests.Session, str]:
    """A session, and what addresses begin with, by the variables that Docker's own client reads."""
    settings = kwargs_from_env()
    host, tls = settings.get("base_url"), settings.get("tls")
    if tls and not host:
        raise docker.errors.TLSParameterError("DOCKER_TLS_VERIFY needs a DOCKER_HOST.")
    base = str(parse_host(host, tls=bool(tls)))
    session = requests.Session()
    session.headers["User-Agent"] = DEFAULT_USER_AGENT
    if base.startswith("http+unix://"):
        session.mount("http+docker://", UnixHTTPAdapter(base, _READ_SECONDS))
        return session, "http+docker://localhost"
    if base.startswith("ssh://"):
        session.mount("http+docker://", _ssh_adapter(base))
        return session, "http+docker://ssh"
    if tls:
        tls.configure_client(session)  # type: ignore[arg-type]  # a session is what it is
    return session, base


def _ssh_adapter(base: str) -> requests.adapters.BaseAdapter:
    try:
        from docker.transport import SSHHTTPAdapter
    except ImportError as error:
        raise docker.errors.DockerException(
            "Install paramiko package to enable ssh:// support"
        ) from error
    adapter: requests.adapters.BaseAdapter = SSHHTTPAdapter(base, _READ_SECONDS)
    return adapter


def _read(response: requests.Response) -> bytes:
    data = read_up_to(response, MOST_JSON + 1)
    if len(data) > MOST_JSON:
        raise ValueError(f"an answer of more than {MOST_JSON} bytes")
    return data


def _refusal(response: requests.Response) -> NotFound | ValueError:
    body = read_up_to(response, MOST_JSON)
    try:
        words = find(parse_json(body, ""), str, "message") or ""
    except BadArtifact:
        words = body[:_SHOWN].decode(errors="replace").strip()
    if response.status_code == 404 and "no such image" in words.lower():
        return NotFound(f"the Docker engine has no such image: {words}")
    side = "Server" if response.status_code >= 500 else "Client"
    place = f"{response.status_code} {side} Error for {response.url}: {response.reason}"
    return ValueError(f'{place} ("{words}")' if words else place)


def _error_in(row: bytes) -> str:
    """The error in a line of the engine's progress; empty if there is none."""
    try:
        return find(parse_json(row, ""), str, "error") or ""
    except BadArtifact:
        return ""
