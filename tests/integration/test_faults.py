"""Every fault, at every place: the push or pull ends right, or fails with reason within its budget.

Never a wrong image, never a leaked credential, never a hang. The registry is a real one, what
stands before it is ours; what came out is looked at without our client.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from pathlib import Path

import pytest
from support.faults import Fault, FaultyProxy, Rule
from support.images import image_of, keep, layout_is_whole, put_by_hand, stands_whole
from support.registries import RunningRegistry, TokenRegistry

from wasmpack.cli.main import run
from wasmpack.images.variants import BuiltImage
from wasmpack.stores.registry.retries import RetryBudget, Transient

BLOBS, MANIFESTS = "/blobs/sha256", "/manifests/"
UPLOADS = "/blobs/uploads/"
TIMEOUT = 1.0
"""Seconds without a byte that the client is told to bear."""
SAFETY_NET = 200.0
"""Seconds; ten times of what any of it takes."""
REFUSED, UNREACHABLE, MISMATCH, NOT_FOUND = 5, 6, 7, 4


class Client:
    """The command line in this process, with credentials that must not be seen again."""

    def __init__(self, registry: RunningRegistry, capfd: pytest.CaptureFixture[str]) -> None:
        self._registry = registry
        self._capfd = capfd
        self.error = ""

    def __call__(
        self, *arguments: str, retries: int = 4, debug: bool = False, user: str = ""
    ) -> int:
        start = time.monotonic()
        name = user or str(self._registry.username)
        options = ["-u", name, "--plain-http", "--timeout", str(TIMEOUT)]
        before = ["--debug"] if debug else []
        code = run([*before, *arguments, *options, "--retries", str(retries)])
        taken = time.monotonic() - start
        out, self.error = self._capfd.readouterr()
        password = str(self._registry.password)
        pair = f"{self._registry.username}:{password}"
        for secret in (password, base64.b64encode(pair.encode()).decode()):
            assert secret not in out + self.error
        assert debug or "Traceback" not in self.error
        assert taken < SAFETY_NET, self.error
        if code:
            assert self.error.splitlines()[-1].startswith(("error: ", "hint: ")), self.error
        return code


@pytest.fixture
def client(
    htpasswd_registry: RunningRegistry,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Client:
    monkeypatch.setenv("WASMPACK_PASSWORD", str(htpasswd_registry.password))
    return Client(htpasswd_registry, capfd)


PASSING: dict[str, Fault] = {
    "refused for a while": Fault(refuse_for=0.6),
    "reset before a byte": Fault(request_bytes=0),
    "429": Fault(status=429),
    "429, Retry-After": Fault(status=429, headers=(("Retry-After", "1"),)),
    "408": Fault(status=408),
    "500": Fault(status=500),
    "502": Fault(status=502),
    "503, Retry-After a date": Fault(
        status=503, headers=(("Retry-After", "Sat, 28 Nov 2015 08:00:00 GMT"),)
    ),
    "504": Fault(status=504),
    "never answers": Fault(never_answer=True),
}
"""What is over after a while, whatever the request was."""
OF_BODIES: dict[str, Fault] = {
    "reset amid the request": Fault(request_bytes=100_000),
    "stall amid the request": Fault(request_bytes=100_000, stall=True),
    "500 amid the request": Fault(status=500, read_body=False),
    "redirect of the bytes": Fault(elsewhere=True),
}
OF_UPLOADS: dict[str, Fault] = {
    "relative Location": Fault(relative_location=True),
    "Location on another host": Fault(elsewhere=True),
    "a blank query parameter": Fault(blank_query=True),
    "asks for chunks": Fault(least_chunk=10_000),
}
PUSH_PLACES = [
    ("GET|HEAD", MANIFESTS, 0), ("HEAD", BLOBS, 0), ("HEAD", BLOBS, 1), ("POST", UPLOADS, 0),
    ("POST", UPLOADS, 1), ("PUT", UPLOADS, 0), ("PUT", MANIFESTS, 0),
]  # fmt: skip
PULL_PLACES = [("GET", MANIFESTS, 0), ("GET", BLOBS, 0), ("GET", BLOBS, 1)]
ANSWERS = [("GET", MANIFESTS, 1), ("GET", BLOBS, 0), ("GET", BLOBS, 1)]
"""The first request for the manifest is the one without credentials."""
OF_ANSWERS: dict[str, Fault] = {
    "reset amid the answer": Fault(response_bytes=50),
    "reset late in the answer": Fault(response_bytes=250_000),
    "stall amid the answer": Fault(response_bytes=50, stall=True),
    "reset, and no ranges": Fault(response_bytes=200_000, no_ranges=True),
}


def rules(fault: Fault, place: tuple[str, str, int], times: int = 1) -> list[Rule]:
    method, path, skip = place
    more = [Rule(fault=Fault(no_ranges=True), times=-1)] if fault.no_ranges else []
    return [Rule(fault=fault, method=method, path=path, skip=skip, times=times), *more]


FORGOTTEN = Fault(forget_login=True)
PUSHES = [
    *(("the login expires", FORGOTTEN, place) for place in PUSH_PLACES[1:]),
    *((name, fault, place) for name, fault in PASSING.items() for place in PUSH_PLACES),
    *((name, fault, ("PUT", UPLOADS, n)) for name, fault in OF_BODIES.items() for n in (0, 1)),
    *((name, fault, ("POST", UPLOADS, n)) for name, fault in OF_UPLOADS.items() for n in (0, 1)),
]
PULLS = [
    *(("the login expires", FORGOTTEN, place) for place in ANSWERS[1:]),
    *((name, fault, place) for name, fault in PASSING.items() for place in PULL_PLACES),
    *((name, fault, place) for name, fault in OF_ANSWERS.items() for place in ANSWERS),
]


def named(row: tuple[str, Fault, tuple[str, str, int]]) -> str:
    method, path, skip = row[2]
    return f"{row[0]}, {method} {path.strip('/')} {skip}"


@pytest.mark.parametrize("case", PUSHES, ids=named)
def test_a_push_gets_over_it(
    case: tuple[str, Fault, tuple[str, str, int]],
    client: Client,
    htpasswd_registry: RunningRegistry,
) -> None:
    name, fault, place = case
    number = PUSHES.index(case)
    image = image_of(number)
    login = (str(htpasswd_registry.username), str(htpasswd_registry.password))
    with FaultyProxy(htpasswd_registry.host, rules(fault, place), second_login=login) as proxy:
        repository = f"faults/push-{number}"
        target = f"{proxy.host}/{repository}:v1"
        keep(image, Path(os.environ["WASMPACK_STORE"]), target)
        assert client("push", target, "--no-validate") == 0, client.error
        _no_credentials_elsewhere(proxy)
        taken = any(not rule.times for rule in proxy.rules)
    assert taken, "the fault was met"
    assert stands_whole(htpasswd_registry, repository, "v1", image)
    if name in PASSING or fault.request_bytes is not None or fault.status:
        assert "; try 2 of 5 in " in client.error, "each new try is said"


@pytest.mark.parametrize("case", PULLS, ids=named)
def test_a_pull_gets_over_it(
    case: tuple[str, Fault, tuple[str, str, int]],
    client: Client,
    pushed_image: tuple[str, BuiltImage],
    htpasswd_registry: RunningRegistry,
) -> None:
    _, fault, place = case
    repository, image = pushed_image
    with FaultyProxy(htpasswd_registry.host, rules(fault, place)) as proxy:
        target = f"{proxy.host}/{repository}:v1"
        assert client("pull", target) == 0, client.error
        _no_credentials_elsewhere(proxy)
    assert layout_is_whole(Path(os.environ["WASMPACK_STORE"]), target, image)


def test_a_pull_goes_on_where_it_broke(
    client: Client, pushed_image: tuple[str, BuiltImage], htpasswd_registry: RunningRegistry
) -> None:
    repository, image = pushed_image
    module = image.manifest.layers[1].digest
    late = Rule(fault=Fault(response_bytes=250_000), method="GET", path=module.hex)
    with FaultyProxy(htpasswd_registry.host, [late]) as proxy:
        assert client("pull", f"{proxy.host}/{repository}:v1") == 0
        (rest,) = [seen for seen in proxy.seen if "Range" in seen.headers]
    assert int(rest.headers["Range"].removeprefix("bytes=").removesuffix("-")) > 10_000


@pytest.fixture
def pushed_image(htpasswd_registry: RunningRegistry) -> tuple[str, BuiltImage]:
    """An image that the registry has."""
    image, repository = image_of(-1), "faults/pull"
    put_by_hand(htpasswd_registry, repository, image)
    return repository, image


def _no_credentials_elsewhere(proxy: FaultyProxy) -> None:
    for seen in proxy.seen:
        assert seen.host == "first" or "Authorization" not in seen.headers, seen


LASTING: dict[str, tuple[Fault, set[int], str]] = {
    "429": (Fault(status=429, headers=(("Retry-After", "3600"),)), {UNREACHABLE}, "429"),
    "500": (Fault(status=500), {UNREACHABLE}, "500 Internal Server Error"),
    "503": (Fault(status=503), {UNREACHABLE}, "503 Service Unavailable"),
    "never answers": (Fault(never_answer=True), {UNREACHABLE}, "no answer in time"),
    "reset": (Fault(request_bytes=0), {UNREACHABLE}, "connection was closed"),
    "400": (Fault(status=400), {UNREACHABLE}, "400 Bad Request"),
    "403": (Fault(status=403), {REFUSED}, "403 Forbidden"),
    "404": (Fault(status=404), {NOT_FOUND}, "404 Not Found"),
    "redirects": (Fault(status=307, headers=(("Location", "#again"),)), {UNREACHABLE}, ""),
    "to another protocol": (
        Fault(status=307, headers=(("Location", "file:///etc/passwd"),)), {UNREACHABLE}, "sends us",
    ),
}  # fmt: skip
NOT_AGAIN = {"400", "403", "404", "to another protocol"}
LAST_PLACES = {
    "push": [("POST", UPLOADS, 0), ("PUT", UPLOADS, 0), ("PUT", MANIFESTS, 0)],
    "pull": [("GET", MANIFESTS, 0), ("GET", BLOBS, 1)],
}
ENDS = [
    (command, name, place)
    for command, places in LAST_PLACES.items()
    for place in places
    for name in LASTING
]


@pytest.mark.parametrize(("command", "name", "place"), ENDS, ids=str)
def test_what_does_not_pass_ends_with_a_reason(
    command: str,
    name: str,
    place: tuple[str, str, int],
    client: Client,
    pushed_image: tuple[str, BuiltImage],
    htpasswd_registry: RunningRegistry,
) -> None:
    fault, codes, words = LASTING[name]
    number = ENDS.index((command, name, place))
    repository, image = pushed_image
    if command == "push":
        repository, image = f"faults/ends-{number}", image_of(1000 + number)
    with FaultyProxy(htpasswd_registry.host, rules(fault, place, -1)) as proxy:
        target = f"{proxy.host}/{repository}:v1"
        store = Path(os.environ["WASMPACK_STORE"])
        if command == "push":
            keep(image, store, target)
        more = ["--no-validate"] if command == "push" else []
        code = client(command, target, *more, retries=2)
        assert code in codes, client.error
        assert words in client.error
        asked = [seen for seen in proxy.seen if seen.method in place[0] and place[1] in seen.path]
    if name in NOT_AGAIN:
        assert "; try 2 of" not in client.error, "what cannot get better is not tried again"
        assert len(asked) <= 4
    if command == "push":
        assert not stands_whole(htpasswd_registry, repository, "v1", image)
    else:
        assert not layout_is_whole(store, target, image)


LIES: dict[str, tuple[Fault, tuple[str, str, int]]] = {
    "a bit of the manifest": (Fault(flip=True), ("GET", MANIFESTS, 1)),
    "a bit of a blob": (Fault(flip=True), ("GET", BLOBS, 1)),
    "a bit of the small blob": (Fault(flip=True), ("GET", BLOBS, 0)),
    "a short manifest": (Fault(cut=True, response_bytes=80), ("GET", MANIFESTS, 1)),
    "a short blob": (Fault(cut=True, response_bytes=20), ("GET", BLOBS, 1)),
    "an empty blob": (Fault(cut=True, response_bytes=0), ("GET", BLOBS, 1)),
    "another digest": (Fault(wrong_digest=True), ("GET", MANIFESTS, 1)),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_seen(
    name: str,
    client: Client,
    pushed_image: tuple[str, BuiltImage],
    htpasswd_registry: RunningRegistry,
) -> None:
    fault, place = LIES[name]
    repository, image = pushed_image
    with FaultyProxy(htpasswd_registry.host, rules(fault, place)) as proxy:
        by_digest = f"@{image.manifest.digest}" if place[1] == MANIFESTS else ""
        target = f"{proxy.host}/{repository}:v1{by_digest}"
        assert client("pull", target) == MISMATCH, client.error
        assert "sha256:" in client.error
        assert not layout_is_whole(Path(os.environ["WASMPACK_STORE"]), target, image)


def test_a_registry_that_says_it_stored_something_else(
    client: Client, htpasswd_registry: RunningRegistry
) -> None:
    fault = Rule(fault=Fault(wrong_digest=True), method="PUT", path=MANIFESTS)
    with FaultyProxy(htpasswd_registry.host, [fault]) as proxy:
        target = f"{proxy.host}/faults/lied-to:v1"
        keep(image_of(7), Path(os.environ["WASMPACK_STORE"]), target)
        assert client("push", target, "--no-validate") == 0, "it is there under our digest"
    pinned = f"{htpasswd_registry.host}/faults/lied-to@{image_of(7).manifest.digest}"
    assert client("digest", f"docker://{pinned}") == 0


@pytest.mark.parametrize("place", [("GET", BLOBS, 0), ("GET", MANIFESTS, 1)])
def test_a_drip_is_no_transfer(
    place: tuple[str, str, int],
    client: Client,
    pushed_image: tuple[str, BuiltImage],
    htpasswd_registry: RunningRegistry,
) -> None:
    repository, _ = pushed_image
    with FaultyProxy(htpasswd_registry.host, rules(Fault(drip=0.02), place, -1)) as proxy:
        assert client("pull", f"{proxy.host}/{repository}:v1", retries=1) == UNREACHABLE
        slow = ("too slow", "no complete answer within", "no answer in time")
        assert any(words in client.error for words in slow), client.error


def test_a_token_that_expires_in_the_middle_of_a_push(
    token_registry: TokenRegistry, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for once with both rights, and once more when it is not taken any more."""
    monkeypatch.setenv("WASMPACK_PASSWORD", token_registry.tokens.pusher.password)
    image, before = image_of(9), len(token_registry.tokens.requests)
    expired = Rule(fault=FORGOTTEN, method="PUT", path=UPLOADS)
    with FaultyProxy(token_registry.registry.host, [expired]) as proxy:
        target = f"{proxy.host}/faults/token:v1"
        keep(image, Path(os.environ["WASMPACK_STORE"]), target)
        code = client("push", target, "--no-validate", user=token_registry.tokens.pusher.name)
        assert code == 0, client.error
    asked = token_registry.tokens.requests[before:]
    assert [request.scopes for request in asked] == [("repository:faults/token:pull,push",)] * 2


def test_nobody_listens_at_first(
    client: Client,
    pushed_image: tuple[str, BuiltImage],
    htpasswd_registry: RunningRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository, _ = pushed_image
    failed, wait = threading.Event(), RetryBudget.wait

    def noticed(budget: RetryBudget, failure: Transient) -> None:
        failed.set()
        wait(budget, failure)

    monkeypatch.setattr(RetryBudget, "wait", noticed)
    with FaultyProxy(htpasswd_registry.host, listening_after=failed.wait) as proxy:
        assert client("pull", f"{proxy.host}/{repository}:v1") == 0
        assert "connection refused; try 2 of 5" in client.error


def test_a_push_that_was_broken_off_sends_what_is_missing(
    client: Client, htpasswd_registry: RunningRegistry
) -> None:
    image = image_of(8)
    last = [Rule(fault=Fault(status=500), method="PUT", path=MANIFESTS, times=-1)]
    with FaultyProxy(htpasswd_registry.host, last) as proxy:
        target = f"{proxy.host}/faults/again:v1"
        keep(image, Path(os.environ["WASMPACK_STORE"]), target)
        assert client("push", target, "--no-validate", retries=0) == UNREACHABLE
        proxy.rules.clear()
        proxy.seen.clear()
        assert client("push", target, "--no-validate") == 0
        assert sum(seen.size for seen in proxy.seen) == len(image.manifest.raw)
        proxy.seen.clear()
        assert client("push", target, "--no-validate") == 0
        assert len(proxy.seen) <= 5
        assert not sum(seen.size for seen in proxy.seen), "nothing is sent twice"
    assert stands_whole(htpasswd_registry, "faults/again", "v1", image)


def test_a_password_is_for_one_registry(
    client: Client, pushed_image: tuple[str, BuiltImage], htpasswd_registry: RunningRegistry
) -> None:
    """That of the destination: the source gets what the files have for it, here nothing."""
    repository, _ = pushed_image
    with (
        FaultyProxy(htpasswd_registry.host) as source,
        FaultyProxy(htpasswd_registry.host) as destination,
    ):
        target = f"{destination.host}/faults/copied:v1"
        assert client("copy", f"docker://{source.host}/{repository}:v1", target) == REFUSED
        assert "wasmpack login" in client.error
        assert not [seen for seen in source.seen if "Authorization" in seen.headers]
        same = f"docker://{destination.host}/{repository}:v1"
        assert client("copy", same, target) == 0, client.error


def test_a_signed_address_is_not_repeated(
    client: Client, pushed_image: tuple[str, BuiltImage], htpasswd_registry: RunningRegistry
) -> None:
    repository, _ = pushed_image
    address = "http://127.0.0.1:1/blob?X-Amz-Signature=0123456789"
    away = Rule(
        fault=Fault(status=307, headers=(("Location", address),)),
        method="GET", path=BLOBS, times=-1,
    )  # fmt: skip
    with FaultyProxy(htpasswd_registry.host, [away]) as proxy:
        name = f"{proxy.host}/{repository}:v1"
        assert client("pull", name, retries=0) == UNREACHABLE
        assert "Signature" not in client.error
        assert client("pull", name, retries=0, debug=True) == UNREACHABLE
        assert "Traceback" in client.error
        assert "Signature" not in client.error


def report() -> dict[str, int]:
    """How many faults are tried."""
    return {"push": len(PUSHES), "pull": len(PULLS), "lasting": len(ENDS), "lies": len(LIES)}


def test_the_number_of_faults_is_the_documented_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "registries.md").read_text()
    assert f"{sum(report().values())} faults" in text
