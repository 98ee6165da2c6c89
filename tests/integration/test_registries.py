"""Who may push what, at real registries; and what is said when something is wrong."""

import contextlib
import json
import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, cast

import pytest
from conftest import Cli
from support.faults import Fault, FaultyProxy, Rule
from support.faults.raw import RawServer, answer
from support.plugins import PLUGINS
from support.registries import RunningRegistry, TokenRegistry

from wasmpack.images.variants import artifact_image
from wasmpack.proxy_abi.module import PluginModule

pytestmark = pytest.mark.dependencies

C = PLUGINS / "header-append-c.wasm"


def test_basic_authentication(htpasswd_registry: RunningRegistry, cli: Cli) -> None:
    registry = htpasswd_registry
    name = f"{registry.host}/auth/basic:v1"
    assert registry.username
    assert registry.password
    cli("build", C, "-t", name)

    nobody = cli("push", name)
    assert nobody.code == 5
    assert f"hint: wasmpack login {registry.host}" in nobody.err
    wrong = cli("push", name, "-u", registry.username, "--password-stdin", stdin=b"wrong-secret")
    assert wrong.code == 5
    assert "wrong-secret" not in wrong.err + wrong.out
    right = cli("push", name, "-u", registry.username, "--password-stdin",
                stdin=registry.password.encode() + b"\n")  # fmt: skip
    assert right.code == 0, right.err
    user = {"WASMPACK_USERNAME": registry.username, "WASMPACK_PASSWORD": registry.password}
    by_environment = cli("digest", "--remote", name, env=user)
    assert by_environment.out.strip() == right.out.strip().partition("@")[2]


def test_login_and_logout(htpasswd_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> None:
    registry = htpasswd_registry
    name = f"{registry.host}/auth/login:v1"
    cli("build", C, "-t", name)
    config = {"DOCKER_CONFIG": str(tmp_path / "docker")}
    user = ("-u", str(registry.username), "--password-stdin")
    refused = cli("login", registry.host, *user, stdin=b"nope", env=config)
    assert refused.code == 5
    assert not (tmp_path / "docker" / "config.json").exists(), "nothing wrong is kept"
    password = str(registry.password).encode()
    accepted = cli("login", registry.host, *user, stdin=password, env=config)
    assert accepted.code == 0, accepted.err
    assert accepted.out == ""
    assert cli("push", name, env=config).code == 0
    assert cli("logout", registry.host, env=config).code == 0
    assert cli("push", name, env=config).code == 5
    nothing = cli("login", registry.host, env=config)
    assert nothing.code == 2
    assert "--password-stdin" in nothing.err


@pytest.mark.parametrize("variable", ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "option"])
def test_a_path_that_would_steer_the_terminal_is_written_out(
    variable: str, cli: Cli, tmp_path: Path
) -> None:
    odd = tmp_path / "\x1b[31mred"
    env = {} if variable == "option" else {variable: str(odd)}
    more = ["--registry-config", odd] if variable == "option" else []
    with RawServer(lambda _request, _headers: iter([answer()])) as server:
        login = ["login", server.host, "-u", "me", "--password-stdin"]
        done = cli(*login, *more, stdin=b"hunter2hunter2", env=env)
    assert done.code == 0, done.err
    assert "\\x1b[31mred" in done.err
    assert "\x1b" not in done.err


def test_token_scopes(token_registry: TokenRegistry, cli: Cli) -> None:
    tokens, host = token_registry.tokens, token_registry.registry.host
    name = f"{host}/team/scoped:v1"
    cli("build", C, "-t", name)
    tokens.clear_requests()
    pusher = ("-u", tokens.pusher.name, "--password-stdin")
    pushed = cli("push", name, *pusher, stdin=tokens.pusher.password.encode())
    assert pushed.code == 0, pushed.err
    (asked,) = tokens.requests
    assert sorted(str(asked.scopes).count(word) for word in ("pull", "push")) == [1, 1], (
        "one token, asked for with all that a push needs"
    )
    puller = ("-u", tokens.puller.name, "--password-stdin")
    refused = cli("push", name, f"{host}/team/other", *puller,
                  stdin=tokens.puller.password.encode())  # fmt: skip
    assert refused.code == 5
    assert tokens.puller.password not in refused.err
    read = cli("digest", "--remote", name, *puller, stdin=tokens.puller.password.encode())
    assert read.code == 0, read.err
    assert cli("digest", "--remote", name).code == 5


def test_anonymous_tokens(token_registry: TokenRegistry, cli: Cli) -> None:
    tokens, host = token_registry.tokens, token_registry.registry.host
    name = f"{host}/public/open:v1"
    cli("build", C, "-t", name)
    pusher = ("-u", tokens.pusher.name, "--password-stdin")
    assert cli("push", name, *pusher, stdin=tokens.pusher.password.encode()).code == 0
    assert cli("inspect", "image", "--remote", name).code == 0


def test_a_token_that_is_never_good_is_refused(token_registry: TokenRegistry, cli: Cli) -> None:
    tokens, host = token_registry.tokens, token_registry.registry.host
    name = f"{host}/public/renewed:v1"
    cli("build", C, "-t", name)
    before, tokens.expires_in = tokens.expires_in, -3600
    try:
        done = cli("push", name, "-u", tokens.pusher.name, "--password-stdin",
                   stdin=tokens.pusher.password.encode())  # fmt: skip
    finally:
        tokens.expires_in = before
    assert done.code == 5, "and not asked for without end"


class Redirecting(BaseHTTPRequestHandler):
    """Sends everybody to a host of its own, which asks for credentials."""

    def do_GET(self) -> None:
        elsewhere = cast("Elsewhere", self.server).elsewhere
        self.send_response(307)
        self.send_header("Location", f"http://127.0.0.1:{elsewhere.server_port}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Asking(BaseHTTPRequestHandler):
    """Keeps what it is told, and asks for more."""

    def do_GET(self) -> None:
        server = cast("Elsewhere", self.server)
        server.heard.append(str(self.headers))
        realm = f"http://127.0.0.1:{server.server_port}/token"
        self.send_response(401)
        self.send_header("WWW-Authenticate", f'Bearer realm="{realm}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Elsewhere(ThreadingHTTPServer):
    """The other host, and what it heard."""

    elsewhere: ThreadingHTTPServer
    heard: list[str]


def test_credentials_never_follow_a_redirect(cli: Cli) -> None:
    with (
        Elsewhere(("127.0.0.1", 0), Asking) as other,
        Elsewhere(("127.0.0.1", 0), Redirecting) as ours,
    ):
        ours.elsewhere, other.heard = other, []
        for server in (other, ours):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        done = cli("digest", f"127.0.0.1:{ours.server_port}/a/b:v1", "-u", "me",
                   "--password-stdin", stdin=b"my-secret")  # fmt: skip
        ours.shutdown()
        other.shutdown()
    assert done.code == 5
    assert len(other.heard) == 1, "the other host's challenge is not answered"
    assert "Authorization" not in other.heard[0]


class Expiring(BaseHTTPRequestHandler):
    """A registry with one image whose tokens are good for one request each."""

    def do_GET(self) -> None:
        server = cast("ExpiringServer", self.server)
        if self.path.startswith("/token"):
            server.tokens += 1
            return self._answer(200, json.dumps({"token": f"t{server.tokens}"}).encode())
        if self.headers.get("Authorization") != f"Bearer t{server.tokens}" or server.spent:
            server.spent = False
            realm = f"http://127.0.0.1:{server.server_port}/token"
            return self._answer(401, b"", **{"WWW-Authenticate": f'Bearer realm="{realm}"'})
        server.spent = "/manifests/" in self.path
        kind, data = server.content[self.path]
        return self._answer(200, data, **{"Content-Type": kind})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class ExpiringServer(ThreadingHTTPServer):
    """Its state: how many tokens it gave, whether the last is spent, and what it holds."""

    tokens = 0
    spent = False
    content: ClassVar[dict[str, tuple[str, bytes]]] = {}


def test_an_expired_token_is_renewed(cli: Cli, tmp_path: Path) -> None:
    image = artifact_image(PluginModule(C.read_bytes()), b'{"type":"envoy_proxy"}', {})
    with ExpiringServer(("127.0.0.1", 0), Expiring) as server:
        server.content["/v2/a/b/manifests/v1"] = (image.manifest.media_type, image.manifest.raw)
        for blob in image.manifest.blobs:
            path = f"/v2/a/b/blobs/{blob.digest}"
            server.content[path] = ("application/octet-stream", image.blobs[blob.digest])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = cli("pull", f"127.0.0.1:{server.server_port}/a/b:v1")
        server.shutdown()
    assert done.code == 0, done.err
    assert done.out.strip().endswith(str(image.manifest.digest))
    assert server.tokens == 2, "one that expires after the manifest, one for both blobs"


def test_not_found(open_registry: RunningRegistry, cli: Cli) -> None:
    for command in (("pull",), ("inspect", "image"), ("digest",), ("validate", "image")):
        done = cli(*command, f"{open_registry.host}/no/such:tag")
        assert done.code == 4, command
        assert "registry answered: 404" in done.err
    assert cli("tags", f"{open_registry.host}/no/such").code == 4


@pytest.mark.parametrize("host", ["localhost:1", "registry.invalid"])
def test_no_registry_there(host: str, cli: Cli) -> None:
    done = cli("inspect", "image", f"{host}/a/b:c")
    assert done.code == 6
    assert f"registry {host}: " in done.err
    assert "hint:" in done.err
    assert "Traceback" not in done.err


def test_tags_and_several_names(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/many/tags"
    done = cli("build", C, "-t", f"{name}:a", "-t", f"{name}:b", "--push")
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 1
    more = cli("push", f"{name}:a", "-t", "c", "-t", "d")
    assert more.code == 0, more.err
    assert sorted(cli("tags", name).out.split()) == ["a", "b", "c", "d"]


def on_a_terminal(*command: str) -> tuple[str, str]:
    """Standard output, and what a terminal shows of standard error."""
    main, terminal = pty.openpty()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, timeout=60)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(main, 4096):
            shown += piece
    os.close(main)
    assert done.returncode == 0, shown
    return done.stdout.decode(), shown.decode()


def test_quick_work_moves_nothing_on_a_terminal(
    open_registry: RunningRegistry, cli: Cli, wasmpack_command: str
) -> None:
    """What takes longer is in tests/unit/test_progress.py, without a registry."""
    name = f"{open_registry.host}/progress/line:v1"
    assert cli("build", C, "-t", name).code == 0
    for command in (
        ["push", name],
        ["pull", name],
        ["copy", f"docker://{name}", f"{open_registry.host}/progress/other:v1"],
        ["build", str(C), "-t", f"{open_registry.host}/progress/new:v1", "--push"],
    ):
        out, shown = on_a_terminal(wasmpack_command, "--no-progress", *command)
        assert "\x1b[K" not in shown
        assert len(out.splitlines()) == 1
    assert cli("push", name).err == "", "a pipe is no terminal"


def test_a_new_try_is_told_on_a_line_of_its_own(
    open_registry: RunningRegistry, cli: Cli, wasmpack_command: str
) -> None:
    rule = Rule(fault=Fault(status=503), method="PUT", path="/manifests/")
    with FaultyProxy(open_registry.host, [rule]) as proxy:
        name = f"{proxy.host}/progress/again:v1"
        assert cli("build", C, "-t", name).code == 0
        _, shown = on_a_terminal(wasmpack_command, "push", name)
    lines = [line.rpartition("\x1b[K")[2] for line in shown.splitlines()]
    assert any(line.startswith("cannot push the manifest") for line in lines)


def test_what_build_printed_can_be_pushed(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/printed/line:v1"
    printed = cli("build", C, "-t", name).out.strip()
    assert cli("push", printed).out.strip() == printed
    assert cli("tags", name.rpartition(":")[0]).out.split() == ["v1"], "under its tag"
    wrong = cli("push", name, f"{name}@sha256:{'0' * 64}")
    assert wrong.code == 7


def test_pull_by_digest_moves_no_tag(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/by/digest"
    old = cli("build", C, "-t", name, "--push").out.strip().partition("@")[2]
    new = cli("build", PLUGINS / "x-wat.wat", "-t", name, "--push").out.strip().partition("@")[2]
    assert cli("pull", f"{name}@{old}").out.strip() == f"{name}@{old}"
    assert cli("digest", name).out.strip() == new
    assert cli("digest", f"{name}@{old}").out.strip() == old


def test_push_shows_again_what_some_targets_refuse(
    open_registry: RunningRegistry, cli: Cli, go_plugin: Path
) -> None:
    name = f"{open_registry.host}/some/refuse:v1"
    assert cli("build", go_plugin, "-t", name).code == 0
    done = cli("push", name, "--format", "json")
    assert done.code == 0
    assert "only: ossm-2.6, ossm-3.0" in done.err
    assert "ABI002" in {finding["code"] for finding in json.loads(done.out)["findings"]}


def test_login_asks_at_a_terminal(
    htpasswd_registry: RunningRegistry, wasmpack_command: str
) -> None:
    main, terminal = pty.openpty()
    words = [wasmpack_command, "login", htpasswd_registry.host, "-u", htpasswd_registry.username]
    process = subprocess.Popen(words, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while b"Password" not in shown:
        shown += os.read(main, 1024)
    os.write(main, f"{htpasswd_registry.password}\n".encode())
    assert process.wait(60) == 0
    with contextlib.suppress(OSError):
        shown += os.read(main, 4096)
    os.close(main)
    assert str(htpasswd_registry.password).encode() not in shown, "no echo"


def test_a_module_is_no_image(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "filter.wasm").write_bytes(C.read_bytes())
    done = cli("push", "filter.wasm")
    assert done.code == 2
    assert "a module, not an image" in done.err
    assert "wasmpack build filter.wasm -t" in done.err


def test_dry_run_sends_nothing(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/dry/run:v1"
    cli("build", C, "-t", name)
    done = cli("push", name, "--dry-run", "--format", "json")
    assert done.code == 0, done.err
    assert [blob["status"] for blob in json.loads(done.out)["pushed"]] == ["missing"] * 3
    assert done.err.count("would send") == 3
    assert "nothing was sent" in done.err
    assert cli("tags", name.rpartition(":")[0]).code == 4
    assert cli("push", name).code == 0
    again = cli("push", name, "-t", "v2", "--dry-run", "--format", "json")
    assert [b["status"] for b in json.loads(again.out)["pushed"]] == ["exists", "exists", "missing"]
    same = cli("push", name, "--dry-run")
    assert same.err.count("is there") == 3
    assert "0 B would be" in same.err


def test_a_build_that_writes_nothing(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/dry/build:v1"
    done = cli("build", C, "-t", name, "--push", "--dry-run", "--digest-file", "digest")
    assert done.code == 0, done.err
    assert done.err.count("would send") == 3
    assert done.out == cli("build", C, "-t", name).out, "the digest is that of the real one"
    assert cli("remove", name).code == 0
    assert cli("build", C, "-t", name, "--dry-run").code == 0
    assert cli("list").out == ""
    assert cli("tags", name.rpartition(":")[0]).code == 4


def test_an_image_is_not_packed_over_itself(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/repack/self"
    assert cli("build", C, "-t", f"{name}:latest", "--push").code == 0
    before = cli("digest", name, "--remote").out
    done = cli("repack", name, f"{name}:latest", "--variant", "compat")
    assert (done.code, done.out) == (8, "")
    assert "--force" in done.err
    assert cli("digest", name, "--remote").out == before
    assert cli("repack", name, name, "--variant", "compat", "--force").code == 0
    assert cli("digest", name, "--remote").out != before


def test_push_refuses_what_no_mesh_loads(
    open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "bad.wat").write_text("(module)")
    name = f"{open_registry.host}/bad/module:v1"
    assert cli("build", tmp_path / "bad.wat", "-t", name).code == 3
    assert cli("list").out == "", "nothing was written"
    assert cli("build", tmp_path / "bad.wat", "-t", name, "--no-validate").code == 0
    refused = cli("push", name)
    assert refused.code == 3
    assert "ABI001" in refused.err
    assert cli("push", name, "--dry-run").code == 3
    assert cli("tags", name.rpartition(":")[0]).code == 4
    assert cli("push", name, "--no-validate").code == 0


class Odd(BaseHTTPRequestHandler):
    """A registry that takes blobs and refuses custom manifests, like an old Quay."""

    blobs = 0

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        if "/manifests/" in self.path:
            found = self.server.manifests.get(self.path)  # type: ignore[attr-defined]
            return self._answer(200 if found else 404, **({"Docker_Content_Digest": found} if found
                                                          else {}))  # fmt: skip
        return self._answer(404)

    def do_POST(self) -> None:
        self._answer(202, Location="/upload/1?state=a%2Bb&empty=")

    def do_PUT(self) -> None:
        import hashlib

        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if "/manifests/" not in self.path:
            return self._answer(201)
        if b"module.wasm.config" in body:
            error = {"errors": [{"code": "MANIFEST_INVALID", "message": "manifest invalid"}]}
            return self._answer(415, json.dumps(error).encode())
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        self.server.manifests[self.path] = digest  # type: ignore[attr-defined]
        return self._answer(201)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def odd_registry() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    server.seen, server.manifests = [], {}  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_registries_that_refuse_custom_types(odd_registry: ThreadingHTTPServer, cli: Cli) -> None:
    name = f"127.0.0.1:{odd_registry.server_port}/old/quay:v1"
    cli("build", C, "-t", name)
    refused = cli("push", name)
    assert refused.code == 6
    assert "415" in refused.err
    assert "hint: this registry refuses custom media types" in refused.err
    fallen_back = cli("push", name, "--variant", "auto", "--format", "json")
    assert fallen_back.code == 0, fallen_back.err
    assert "compat variant instead" in fallen_back.err
    assert json.loads(fallen_back.out)["variant"] == "compat"
    uploads = [path for path in odd_registry.seen if path.startswith("/upload")]  # type: ignore[attr-defined]
    assert all(path.startswith("/upload/1?state=a%2Bb&empty=&digest=sha256") for path in uploads), (
        "the upload's own query is left as it was"
    )
