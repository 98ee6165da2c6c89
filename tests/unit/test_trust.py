"""Authorities and client certificates: every place where people keep them counts."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from support.faults.raw import RawServer, answer

from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.oci.reference import Reference
from wasmpack.stores.registry import trust
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.client import RegistryClient
from wasmpack.stores.registry.exchange import Exchange
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.retries import Transient


@dataclass(frozen=True)
class Setup:
    """A TLS server of a private authority, and the authority's certificate in a file."""

    server: RawServer
    authority: Path
    etc: Path
    """Stands for ``/etc/docker/certs.d``."""

    def reach(self, **options: object) -> int:
        """The status of an answer; no retries."""
        base = Address.parse(f"https://{self.server.host}/")
        made = RegistryOptions(**options)  # type: ignore[arg-type]
        exchange = Exchange(self.server.host, base, made)
        request = exchange.request("GET", "/v2/")
        try:
            with exchange.send(request, None, exchange.deadline(request)) as found:
                return found.status_code
        except Transient as failure:
            raise failure.error from failure


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def setup(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Setup]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    monkeypatch.setattr(trust, "_CERTS_D", (tmp_path / "etc",))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with RawServer(lambda *_: iter([answer()]), tls=context) as server:
        yield Setup(server, tmp_path / "ca.pem", tmp_path / "etc")


def placed(setup: Setup, directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "private.crt").write_bytes(setup.authority.read_bytes())


def in_directory(setup: Setup, variable: str) -> None:
    """Under a name of its own, where OpenSSL looks for hashes."""
    placed(setup, setup.authority.parent / "authorities")
    os.environ[variable] = str(setup.authority.parent / "authorities")


PLACES: dict[str, Callable[[Setup], None]] = {
    "SSL_CERT_FILE": lambda setup: os.environ.update(SSL_CERT_FILE=str(setup.authority)),
    "SSL_CERT_DIR": lambda setup: in_directory(setup, "SSL_CERT_DIR"),
    "REQUESTS_CA_BUNDLE": lambda setup: os.environ.update(REQUESTS_CA_BUNDLE=str(setup.authority)),
    "REQUESTS_CA_BUNDLE, a directory": lambda setup: in_directory(setup, "REQUESTS_CA_BUNDLE"),
    "/etc": lambda setup: placed(setup, setup.etc / setup.server.host),
    "~/.config": lambda setup: placed(
        setup, Path(os.environ["XDG_CONFIG_HOME"], "containers", "certs.d", setup.server.host)
    ),
}


@pytest.fixture
def other(tmp_path: Path) -> str:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    return str(tmp_path / "other.pem")


@pytest.mark.stress
@pytest.mark.parametrize("place", PLACES)
def test_an_authority_counts(
    place: str, setup: Setup, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
            patched.setenv(variable, "")
        PLACES[place](setup)
        assert setup.reach() == 200
        assert setup.reach(ca_file=other) == 200, "added, not instead"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_an_option_counts(setup: Setup, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (None, other):
        with pytest.raises(WasmpackError, match="certificate verify failed"):
            setup.reach(ca_file=path)
    assert setup.reach(insecure=True) == 200
    monkeypatch.setenv("SSL_CERT_FILE", other)
    assert setup.reach(ca_file=str(setup.authority)) == 200


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.1:1", "example.com"])
def test_the_directory_of_another_host_does_not_count(name: str, setup: Setup) -> None:
    placed(setup, setup.etc / name)
    with pytest.raises(WasmpackError, match="certificate verify failed"):
        setup.reach()


def test_a_client_certificate_of_a_host(setup: Setup, authority: trustme.CA) -> None:
    directory = setup.etc / setup.server.host
    placed(setup, directory)
    certificate = authority.issue_cert("me@example.com")
    certificate.cert_chain_pems[0].write_to_path(directory / "client.cert")
    certificate.private_key_pem.write_to_path(directory / "client.key")
    assert setup.reach() == 200
    assert setup.server.certificates == [True]


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("bad.crt", b"text", BadArtifact, "bad.crt: no certificate"),
        ("client.cert", b"text", NotFound, "client.key: no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    name: str, content: bytes, error: type[WasmpackError], message: str, setup: Setup
) -> None:
    directory = setup.etc / setup.server.host
    placed(setup, directory)
    (directory / name).write_bytes(content)
    with pytest.raises(error, match=message):
        setup.reach()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_variable_that_names_no_file(
    variable: str, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/no/such/file")
    with pytest.raises(NotFound, match=f"{variable}: /no/such/file: no such file"):
        setup.reach()


HOSTS = {
    "registry.example": ["registry.example"],
    "registry.example:443": ["registry.example:443", "registry.example"],
    "registry.example:5000": ["registry.example:5000"],
    "registry-1.docker.io": ["registry-1.docker.io", "docker.io"],
}


@pytest.mark.parametrize("host", HOSTS)
def test_directories_of_a_host(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_CERTS_D", (tmp_path,))
    for name in {name for names in HOSTS.values() for name in names}:
        (tmp_path / name).mkdir()
    assert trust.certificates_of(host) == [tmp_path / name for name in HOSTS[host]]


@pytest.fixture(params=["closed", "400"])
def loopback(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[str]:
    """A port that speaks TLS alone, and says so to plain HTTP or closes the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RawServer(lambda *_: iter([answer(body=b'{"tags":["v1"]}')]), tls=context) as server:
        if request.param == "closed":
            yield server.host
        else:
            with refusing_plain_http(server.host) as host:
                yield host


@contextlib.contextmanager
def refusing_plain_http(behind: str) -> Iterator[str]:
    """In front of a TLS server, as nginx: an answer of 400 to what is not a handshake."""
    host, port = behind.split(":")

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if connection.recv(1, socket.MSG_PEEK) != b"\x16":
                connection.recv(65536)
                connection.sendall(answer("400 Bad Request"))
                return
            with socket.create_connection((host, int(port))) as other:
                back = threading.Thread(target=pump, args=(other, connection), daemon=True)
                back.start()
                pump(connection, other)
                back.join()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_a_port_of_loopback_that_speaks_tls(
    loopback: str, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    name, told = Reference.parse(f"{loopback}/a/b"), list[str]()
    with pytest.raises(WasmpackError, match="certificate verify failed"):
        RegistryClient(name, RegistryOptions(retries=0)).tags()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    options = RegistryOptions(retries=0)
    assert RegistryClient(name, options, notice=told.append).tags() == ["v1"]
    assert told == [f"registry {loopback}: no plain HTTP, going on with TLS"]
    with pytest.raises(WasmpackError):
        RegistryClient(name, RegistryOptions(retries=0, plain_http=True)).tags()
