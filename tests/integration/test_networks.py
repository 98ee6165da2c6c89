"""Registries where they are: behind TLS, proxies and odd addresses."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from conftest import Cli, Done
from support.faults import Fault, FaultyProxy, Rule
from support.faults.forward import ForwardProxy
from support.faults.raw import Pieces, RawServer, answer
from support.faults.tidy import BLOBS, MANIFESTS, TAGS, tidy
from support.images import image_of, keep
from support.plugins import PLUGINS
from support.registries import RunningRegistry

pytestmark = pytest.mark.dependencies

C = PLUGINS / "header-append-c.wasm"
UNREACHABLE, USAGE = 6, 2


@dataclass(frozen=True)
class Authority:
    """A certificate authority of this test run, and what it has signed."""

    ca: trustme.CA
    file: Path
    client: Path
    """Certificate and key of a client, in one file."""

    def server(self, *names: str, clients: bool = False) -> ssl.SSLContext:
        """For a server of these names; ``clients`` must have a certificate too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    ca.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(
        folder / "client.pem"
    )
    return Authority(ca, folder / "ca.pem", folder / "client.pem")


@pytest.fixture
def tls_registry(authority: Authority, open_registry: RunningRegistry) -> Iterator[FaultyProxy]:
    """TLS ends at a proxy, and the registry behind it takes itself for plain HTTP."""
    with FaultyProxy(open_registry.host, tls=authority.server("127.0.0.1")) as proxy:
        yield proxy


def pushed(cli: Cli, name: str, *options: str | Path, **more: object) -> Done:
    cli("build", C, "-t", name)
    return cli("push", name, *options, **more)  # type: ignore[arg-type]


def test_a_private_authority(tls_registry: FaultyProxy, authority: Authority, cli: Cli) -> None:
    name = f"{tls_registry.host}/tls/private:v1"
    done = pushed(cli, name, "--ca-file", authority.file)
    assert done.code == 0, done.err
    again = cli("pull", name, env={"WASMPACK_CA_FILE": str(authority.file)})
    assert again.out == done.out
    assert cli("copy", f"docker://{name}", "oci:here:v1", "--insecure").code == 0


def test_an_unknown_authority_is_refused_at_once(
    tls_registry: FaultyProxy, cli: Cli, tmp_path: Path
) -> None:
    name = f"{tls_registry.host}/tls/unknown:v1"
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    done = pushed(cli, name, "--ca-file", "other.pem")
    assert done.code == UNREACHABLE
    assert "certificate verify failed" in done.err
    assert "; try 2 of" not in done.err
    missing = cli("push", name, "--ca-file", "no-such.pem")
    assert missing.code == 4
    plain = cli("push", name, "--retries", "0")
    assert plain.code == UNREACHABLE, "on loopback TLS has to be asked for"


def test_certificates_that_do_not_fit(
    authority: Authority, open_registry: RunningRegistry, cli: Cli
) -> None:
    with FaultyProxy(open_registry.host, tls=authority.server("example.com")) as proxy:
        name = f"{proxy.host}/tls/other-name:v1"
        wrong = pushed(cli, name, "--ca-file", authority.file)
        assert wrong.code == UNREACHABLE
        assert "certificate verify failed" in wrong.err
        assert "--ca-file FILE for a private authority" in wrong.err
        assert "; try 2 of" not in wrong.err, "a certificate does not get better"


def test_client_certificates(
    authority: Authority, open_registry: RunningRegistry, cli: Cli
) -> None:
    context = authority.server("127.0.0.1", clients=True)
    with FaultyProxy(open_registry.host, tls=context) as proxy:
        name = f"{proxy.host}/tls/client:v1"
        trust = ["--ca-file", authority.file]
        without = pushed(cli, name, *trust, "--retries", "0")
        assert without.code == UNREACHABLE
        assert cli("push", name, *trust, "--cert-file", authority.client).code == 0


def test_a_client_certificate_is_for_the_registry_alone(
    authority: Authority, open_registry: RunningRegistry, cli: Cli
) -> None:
    """Its blobs are on another host, which would take a certificate too."""
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_OPTIONAL
    authority.ca.configure_trust(context)
    rule = Rule(fault=Fault(elsewhere=True), method="PUT", path="/blobs/uploads/")
    with FaultyProxy(open_registry.host, [rule], tls=context) as proxy:
        name = f"{proxy.host}/tls/alone:v1"
        trust = ["--ca-file", authority.file, "--cert-file", authority.client]
        done = pushed(cli, name, *trust)
        assert done.code == 0, done.err
        seen = [request.certificate for request in proxy.seen if request.host == "second"]
        first = [request.certificate for request in proxy.seen if request.host == "first"]
    assert seen
    assert not any(seen)
    assert all(first)


def optional_clients(authority: Authority) -> ssl.SSLContext:
    """For a server that takes a client certificate, and does without."""
    context = authority.server("127.0.0.1")
    context.verify_mode = ssl.CERT_OPTIONAL
    authority.ca.configure_trust(context)
    return context


def test_a_client_certificate_stays_behind_however_the_registry_is_spelt(
    authority: Authority, cli: Cli
) -> None:
    """A port with a zero: the same origin, and another beginning of the URL."""
    image, port = image_of(3), free_port_of_four_digits()

    def sent_on(request: str, _headers: dict[str, str]) -> Pieces:
        place = f"https://{other.host}{request.split()[1]}"
        yield answer("307 Temporary Redirect", headers={"Location": place})

    context = optional_clients(authority)
    with (
        RawServer(tidy(image, {}), tls=context) as other,
        RawServer(tidy(image, {f"GET {BLOBS}": sent_on}), tls=context, port=port) as server,
    ):
        trust = ["--ca-file", authority.file, "--cert-file", authority.client]
        done = cli("pull", f"127.0.0.1:0{port}/a/b:v1", *trust)
    assert done.code == 0, done.err
    assert server.certificates
    assert all(server.certificates)
    assert other.certificates
    assert not any(other.certificates)


def free_port_of_four_digits() -> int:
    for port in range(7100, 10000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port below 10000")


def test_a_client_certificate_is_for_the_destination_of_a_copy(
    authority: Authority, cli: Cli
) -> None:
    image, context = image_of(3), optional_clients(authority)
    with (
        RawServer(tidy(image, {}), tls=context) as source,
        RawServer(tidy(image, {}, empty=True), tls=context) as destination,
    ):
        trust = ["--ca-file", authority.file, "--cert-file", authority.client]
        places = [f"docker://{source.host}/a/b:v1", f"{destination.host}/a/b:v1"]
        done = cli("copy", *places, *trust)
    assert done.code == 0, done.err
    assert all(destination.certificates)
    assert source.certificates
    assert not any(source.certificates)


def test_a_client_certificate_is_for_no_host_that_the_yaml_names(
    authority: Authority, cli: Cli
) -> None:
    image, context = image_of(3), optional_clients(authority)
    with (
        RawServer(tidy(image, {}), tls=context) as one,
        RawServer(tidy(image, {}), tls=context) as two,
    ):
        plugins = "---\n".join(
            f"apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
            f"metadata: {{name: x}}\nspec: {{url: 'oci://{server.host}/a/b:v1'}}\n"
            for server in (one, two)
        )
        trust = ["--ca-file", authority.file, "--cert-file", authority.client]
        cli("validate", "wasmplugin", "-", *trust, stdin=plugins.encode())
    for server in (one, two):
        assert server.certificates
        assert not any(server.certificates)


@pytest.mark.parametrize("more", [[], ["--dry-run"]], ids=["", "dry run"])
def test_a_login_is_for_one_registry_of_a_build(more: list[str], cli: Cli) -> None:
    image = image_of(3)
    with (
        RawServer(tidy(image, {}, empty=True)) as one,
        RawServer(tidy(image, {}, empty=True)) as two,
    ):
        names = ["-t", f"{one.host}/a/b:v1", "-t", f"{two.host}/a/b:v1"]
        login = ["-u", "me", "--password-stdin"]
        done = cli("build", C, *names, "--push", *login, *more, stdin=b"hunter2hunter2")
        assert done.code == 2, done.err
        assert "for one registry" in done.err
        assert not one.seen + two.seen


def test_ipv6(open_registry: RunningRegistry, cli: Cli) -> None:
    with FaultyProxy(open_registry.host, address="::1") as proxy:
        name = f"{proxy.host}/over/six:v1"
        assert name.startswith("[::1]:")
        done = pushed(cli, name)
        assert done.code == 0, done.err
        assert cli("inspect", "image", f"docker://{name}").code == 0


def test_a_proxy_for_plain_http(open_registry: RunningRegistry, cli: Cli) -> None:
    pair = base64.b64encode(b"me:hunter2").decode()
    with ForwardProxy(open_registry.host, authorization=f"Basic {pair}") as proxy:
        env = {"HTTP_PROXY": f"http://me:hunter2@{proxy.host}"}
        name = "registry.invalid/by/proxy:v1"
        done = pushed(cli, name, "--plain-http", env=env)
        assert done.code == 0, done.err
        assert proxy.asked[0].startswith("HEAD http://registry.invalid/v2/by/proxy/")
        wrong = {"HTTP_PROXY": f"http://me:hunter3@{proxy.host}"}
        refused = cli("push", name, "--plain-http", env=wrong)
        assert refused.code != 0
        assert "hunter" not in done.err + refused.err
        assert "407" in refused.err
        past = cli("push", name, "--plain-http", "--retries", "0",
                   env={**env, "NO_PROXY": "registry.invalid"})  # fmt: skip
        assert past.code == UNREACHABLE
        assert "unknown host" in past.err


def test_a_proxy_for_tls(authority: Authority, open_registry: RunningRegistry, cli: Cli) -> None:
    context = authority.server("registry.invalid")
    with (
        FaultyProxy(open_registry.host, tls=context) as registry,
        ForwardProxy(registry.host) as proxy,
    ):
        env = {"HTTPS_PROXY": f"http://{proxy.host}"}
        done = pushed(cli, "registry.invalid/by/proxy:v1", "--ca-file", authority.file, env=env)
        assert done.code == 0, done.err
        assert proxy.asked[0] == "CONNECT registry.invalid:443"


def test_a_proxy_that_is_not_there(cli: Cli) -> None:
    env = {"HTTPS_PROXY": "http://me:hunter2@127.0.0.1:1"}
    done = pushed(cli, "registry.invalid/by/proxy:v1", "--retries", "1", env=env)
    assert done.code == UNREACHABLE
    assert "proxy" in done.err
    assert "hunter2" not in done.err
    debug = cli("--debug", "push", "registry.invalid/by/proxy:v1", "--retries", "0", env=env)
    assert "Traceback" in debug.err
    assert "hunter2" not in debug.err


def test_this_machine_is_reached_without_a_proxy(open_registry: RunningRegistry, cli: Cli) -> None:
    env = {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": ""}
    done = pushed(cli, f"{open_registry.host}/past/the/proxy:v1", "--retries", "0", env=env)
    assert done.code == 0, done.err


def test_plain_http_is_for_loopback_only(open_registry: RunningRegistry, cli: Cli) -> None:
    with ForwardProxy(open_registry.host) as proxy:
        env = {"HTTP_PROXY": f"http://{proxy.host}", "HTTPS_PROXY": f"http://{proxy.host}"}
        done = pushed(cli, "registry.invalid/not/plain:v1", "--retries", "0", env=env)
        assert done.code == UNREACHABLE
        assert proxy.asked == ["CONNECT registry.invalid:443"]
        assert "--plain-http" in done.err


SENT_AWAY: dict[str, tuple[list[str], str, str]] = {
    "manifest": (["pull"], f"GET {MANIFESTS}", "307 Temporary Redirect"),
    "blob": (["pull"], f"GET {BLOBS}", "307 Temporary Redirect"),
    "tags": (["tags"], f"GET {TAGS}", "302 Found"),
    "upload": (["push", "--no-validate"], "POST", "202 Accepted"),
    "upload's bytes": (["push", "--no-validate"], "PUT /upload", "307 Temporary Redirect"),
    "upload's next chunk": (["push", "--no-validate"], "PATCH /upload", "202 Accepted"),
}


@pytest.mark.parametrize("name", SENT_AWAY)
def test_tls_is_not_left(name: str, authority: Authority, cli: Cli) -> None:
    """Not for plain HTTP on another host, which would hear what is moved, and could change it."""
    (command, *more), pattern, status = SENT_AWAY[name]
    image = image_of(3)
    with RawServer(tidy(image, {})) as plain:
        place = f"http://{plain.host}/v2/a/b/elsewhere?X-Amz-Signature=0123456789"
        odd = {
            pattern: lambda _request, _headers: iter([answer(status, headers={"Location": place})])
        }
        if name == "upload's next chunk":
            chunks = answer("202 Accepted", headers={"Location": "/upload", **LEAST_CHUNK})
            odd["POST"] = lambda _request, _headers: iter([chunks])
        tls = authority.server("127.0.0.1")
        with RawServer(tidy(image, odd, empty=command == "push"), tls=tls) as server:
            target = f"{server.host}/a/b" + (":v1" if command != "tags" else "")
            if command == "push":
                keep(image, Path(os.environ["WASMPACK_STORE"]), target)
            done = cli(command, target, *more, "--ca-file", authority.file, "--retries", "0")
        assert done.code == UNREACHABLE, done.err
        assert f"sends us to 'http://{plain.host}/v2/a/b/elsewhere?…', without TLS" in done.err
        assert "hint: " in done.err
        assert plain.seen == []


LEAST_CHUNK = {"OCI-Chunk-Min-Length": "1000"}


def test_http_of_the_registry_itself_is_meant_to_be_tls(authority: Authority, cli: Cli) -> None:
    """Behind a proxy that ends TLS, registries name themselves so."""

    def script(request: str, headers: dict[str, str]) -> Pieces:
        if "/tags/list " in request:
            place = f"http://{headers['host']}/v2/a/b/tags/list?here=1"
            yield answer("307 Temporary Redirect", headers={"Location": place})
        elif "here=1" in request:
            link = f"<http://{headers['host']}/v2/a/b/tags/list?last=a>; rel=next"
            yield answer(body=b'{"tags":["a"]}', headers={"Link": link})
        else:
            yield answer(body=b'{"tags":["b"]}')

    with RawServer(script, tls=authority.server("127.0.0.1")) as server:
        done = cli("tags", f"{server.host}/a/b", "--ca-file", authority.file)
    assert done.out == "a\nb\n", done.err


def test_plain_http_follows_plain_http(cli: Cli) -> None:
    image = image_of(3)
    with RawServer(tidy(image, {})) as other:
        place = f"http://{other.host}{TAGS}list"
        moved = answer("307 Temporary Redirect", headers={"Location": place})
        with RawServer(lambda _request, _headers: iter([moved])) as server:
            done = cli("tags", f"{server.host}/a/b", "--plain-http")
    assert done.out == "v1\n", done.err


PROXIES = [
    "http://me:hunter2hunter2@[bad", "http://me:hunter2hunter2@h:99999", "me:hunter2hunter2@[",
    "http://me:hunter2hunter2@h o", "http://me:hunter2/hunter2@127.0.0.1:1",
    "http://me:hunter2%68unter2@127.0.0.1:1", "socks5://me:hunter2hunter2@127.0.0.1:1",
    "http://hunter2hunter2@127.0.0.1:1", "http://me:hunter2@hunter2@[bad", "x://me:hunter2hunter2@h",
]  # fmt: skip


@pytest.mark.parametrize("address", PROXIES)
def test_a_proxys_password_is_not_repeated(address: str, cli: Cli) -> None:
    env = {"HTTPS_PROXY": address}
    done = cli("--debug", "tags", "registry.invalid/a/b", "--retries", "0", env=env)
    assert done.code == UNREACHABLE, done.err
    assert "Traceback" in done.err
    assert "hunter2" not in done.err
    assert "internal error" not in done.err


SECRET = "correct-horse-battery"


def password(headers: dict[str, str]) -> str:
    """The one that a request came with; empty if it came without."""
    encoded = headers.get("authorization", "").partition(" ")[2]
    return base64.b64decode(encoded).decode().partition(":")[2]


ECHOES: dict[str, Callable[[str], bytes]] = {
    "digest": lambda said: answer(headers={"Docker-Content-Digest": f"x {said}"}),
    "long digest": lambda said: answer(
        headers={"Docker-Content-Digest": "d" * (200 - len(said) // 2) + said}
    ),
    "keys": lambda said: answer(body=b'{"%s":1,"%s":2}' % ((said.encode(),) * 2)),
    "error": lambda said: answer("400 Bad", error_body(said)),
    "long error": lambda said: answer("400 Bad", error_body("x" * (490 - len(said) // 2) + said)),
    "location": lambda said: answer(
        "307 Moved", headers={"Location": f"http://a b/{'d' * (180 - len(said) // 2)}{said}"}
    ),
    "query": lambda said: answer("307 Moved", headers={"Location": f"ftp://h/x?{said[:9]}({said}"}),
    "warning": lambda said: answer(
        "404 Oh", headers={"Warning": f'299 - "{"y" * (4080 - len(said) // 2)}{said}"'}
    ),
}
"""A registry's answers to a request for a manifest, with the password that it got."""
REPORTS = {
    "validate image": ["validate", "image", "--remote", "{}"],
    "validate image as JSON": ["validate", "image", "--remote", "{}", "--format", "json"],
    "validate wasmplugin": ["validate", "wasmplugin", "-"],
    "validate wasmplugin as JSON": ["validate", "wasmplugin", "-", "--format", "json"],
    "render": ["render", "wasmplugin", "--remote", "{}"],
    "migrate": [
        "migrate", "servicemeshextension", "-", "--images", "{}", "--remote", "--report", "r.json",
    ],
    "digest": ["digest", "--remote", "{}"],
}  # fmt: skip


def error_body(text: str) -> bytes:
    return f'{{"errors":[{{"code":"X","message":"{text}"}}]}}'.encode()


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("command", REPORTS)
def test_no_report_repeats_a_password(command: str, echo: str, cli: Cli, tmp_path: Path) -> None:
    def script(_request: str, headers: dict[str, str]) -> Pieces:
        if not (said := password(headers)):
            yield answer("401 No", headers={"WWW-Authenticate": 'Basic realm="x"'})
            return
        yield ECHOES[echo](said)

    with RawServer(script) as server:
        name = f"{server.host}/a/b:v1"
        words = [word.format(f"{server.host}/new" if command == "migrate" else name)
                 for word in REPORTS[command]]  # fmt: skip
        resource = (
            f"apiVersion: maistra.io/v1\nkind: ServiceMeshExtension\nmetadata: {{name: e}}\n"
            f"spec: {{image: '{name}'}}\n"
            if command == "migrate"
            else "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n"
            f"metadata: {{name: x}}\nspec: {{url: 'oci://{name}'}}\n"
        )
        env = {"WASMPACK_USERNAME": "me", "WASMPACK_PASSWORD": SECRET}
        done = cli(*words, "--retries", "0", stdin=resource.encode(), env=env)
        assert server.authorizations
    report = tmp_path / "r.json"
    text = done.out + done.err + (report.read_text() if report.exists() else "")
    assert SECRET[:9] not in text
    assert "internal error" not in text


@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_what_a_registry_repeats_of_a_login_is_not_shown(debug: bool, cli: Cli) -> None:
    """In an error, a warning, a redirect: the password, the token, and their encodings."""
    pair = base64.b64encode(b"me:hunter2hunter2").decode()

    def script(request: str, headers: dict[str, str]) -> Pieces:
        shown = headers.get("authorization", "")
        if "/token" in request:
            yield answer(body=b'{"token":"t0ken-t0ken"}')
        elif not shown:
            realm = f'Bearer realm="http://{headers["host"]}/token"'
            yield answer("401 Unauthorized", headers={"WWW-Authenticate": realm})
        elif "/manifests/" in request:
            place = f"ftp://h/{shown}/{pair}/hunter2hunter2?sig=hunter2hunter2"
            yield answer("307 Temporary Redirect", headers={"Location": place})
        else:
            said = f"{shown} {pair} hunter2hunter2 hunter2%68unter2 \\u001b[31m"
            body = f'{{"errors":[{{"code":"DENIED","message":"{said}"}}]}}'.encode()
            yield answer("500 Oh", body, {"Warning": f'299 - "{said}"'})

    with RawServer(script) as server:
        options = ["-u", "me", "--password-stdin", "--retries", "1"]
        given = ["--debug"] if debug else []
        for command in ("tags {}/a/b", "digest --remote {}/a/b:v1"):
            words = command.format(server.host).split()
            done = cli(*given, *words, *options, stdin=b"hunter2hunter2")
            assert done.code == UNREACHABLE
            assert debug == ("Traceback" in done.err)
            for secret in ("hunter2hunter2", "t0ken-t0ken", pair, "\x1b[31m"):
                assert secret not in done.err + done.out
