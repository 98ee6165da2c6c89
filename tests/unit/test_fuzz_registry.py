"""Whatever a registry or a credentials file says: our errors, or something usable. Never a bug."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests
from support.effort import many
from support.header_mutants import json_mutants, text_mutants

from wasmpack.errors import WasmpackError, silence
from wasmpack.redaction import plain_text, redacted
from wasmpack.stores.registry import pages
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.challenge import authorization, parse_challenges
from wasmpack.stores.registry.credentials import Credential, find_credential
from wasmpack.stores.registry.errors import Answer, manifest_refusal, refusal
from wasmpack.stores.registry.exchange import Exchange
from wasmpack.stores.registry.headers import (
    content_range,
    next_link,
    received_bytes,
    retry_after,
    warning_texts,
)
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.pages import Listing, NoListing
from wasmpack.stores.registry.retries import RetryBudget

pytestmark = [pytest.mark.slow, pytest.mark.dependencies]

MUTANTS = many(100)
"""For each reader, in each run."""
CREDENTIAL = Credential(username="me", secret="hunter22")
IDENTITY = Credential(username="<token>", secret="hunter23", identity_token=True)
OPTIONS = RegistryOptions()
CHALLENGES = [
    'Bearer realm="https://auth.example/token",service="reg, one",scope="repository:a/b:pull"',
    'Basic realm="Registry Realm"',
    'Negotiate abc==, Bearer realm=https://a/t , Basic realm="a \\"b\\""',
]
LINKS = [
    '</v2/x/tags/list?last=b&n=2>; rel="next"',
    '<https://r.example/v2/x?a,b>; title="x, y; rel=next"; rel="prev NEXT", </y>; rel=last',
    "/v2/x/tags/list?last=b; rel=next",
]
LOCATIONS = [
    "https://r.example/v2/x/blobs/uploads/1?_state=a%2Bb", "/upload?x=y", "http://r.example/upload",
    "https://blobs.example:8443/x?X-Amz-Signature=0123#y", "http://[::1]:5000/x", "upload/1",
]  # fmt: skip
CONFIGS: list[object] = [
    {"auths": {"r.example": {"auth": "bWU6aHVudGVyMjI="}, "x": {}}, "credsStore": "none-such"},
    {"auths": {"r.example": {"username": "me", "password": "x"}}, "credHelpers": {"x": "y"}},
    {"auths": {"r.example/a/b": {"identitytoken": "abc", "auth": "bWU6"}}},
    {"credHelpers": {"r.example": "none-such"}, "HttpHeaders": {"a": "b"}},
]
TOKENS: list[object] = [{"token": "abc", "expires_in": 300}, {"access_token": "abc"}]
ERRORS: list[object] = [
    {"errors": [{"code": "DENIED", "message": "no", "detail": {}}, {"code": "MANIFEST_INVALID"}]}
]
PAGES: list[object] = [
    {"name": "x", "tags": ["a", "b"]},
    {"manifests": [{"mediaType": "a/b", "digest": "sha256:" + "0" * 64, "size": 5}]},
]


def test_challenges() -> None:
    def ask(_method: str, url: str, _fields: object, _headers: object) -> tuple[int, object]:
        assert Address.parse(url).scheme in {"http", "https"}
        return 200, {"token": "t"}

    for text in text_mutants("challenges", CHALLENGES, MUTANTS):
        assert all(found.scheme in {"bearer", "basic"} for found in parse_challenges(text))
        for credential in (None, CREDENTIAL, IDENTITY):
            with contextlib.suppress(WasmpackError):
                authorization(text, credential, ["repository:a/b:pull"], ask)


def test_links() -> None:
    for text in text_mutants("links", LINKS, MUTANTS):
        assert isinstance(next_link(text), str)


@pytest.mark.parametrize("base", ["https://r.example/", "http://127.0.0.1:5000/"])
def test_locations(base: str) -> None:
    here = Address.parse(base)
    exchange = Exchange("r.example", here, OPTIONS)
    for text in text_mutants(f"locations of {base}", LOCATIONS, MUTANTS):
        with contextlib.suppress(WasmpackError):
            found = exchange.follow(here, text)
            assert found.scheme == "https" or here.scheme == "http"
            assert Address.parse(found.url) == found
        with contextlib.suppress(WasmpackError):
            assert exchange.own(here, text).origin == here.origin


def test_the_http_library_sees_the_same_host() -> None:
    """Else a login meant for one host would go to another."""
    here = Address.parse("https://r.example/")
    for text in text_mutants("hosts", LOCATIONS, MUTANTS):
        with contextlib.suppress(ValueError):
            found = here.join(text)
            seen = requests.Request("GET", found.url).prepare()
            assert seen.url is not None
            assert Address.parse(seen.url).origin == found.origin
            assert "Authorization" not in seen.headers


@pytest.mark.parametrize("length", [8, 4000])
def test_warnings(length: int) -> None:
    seeds = ['299 - "this goes away"', f'299 - "{"a" * length}" "date", 299 x "\\"b\\""']
    for text in text_mutants(f"warnings {length}", seeds, MUTANTS):
        assert all(isinstance(said, str) for said in warning_texts(text))


def test_pauses() -> None:
    seeds = ["120", "Fri, 31 Dec 9999 23:59:59 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
             "Sun Nov  6 08:49:37 1994", "Mon, 1 Jan 0001 00:00:00 +2359"]  # fmt: skip
    for text in text_mutants("pauses", seeds, MUTANTS):
        seconds = retry_after(text)
        assert math.isfinite(seconds)
        assert seconds >= 0


def test_ranges() -> None:
    for text in text_mutants(
        "ranges", ["bytes 0-9/10", "bytes 5-9/*", "0-99", "bytes=0-1"], MUTANTS
    ):
        found = content_range(text)
        assert found is None or found[0] >= 0
        assert (received_bytes(text) or 2) > 1


def test_credentials_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for raw in json_mutants("credentials", CONFIGS, MUTANTS):
        (tmp_path / "config.json").write_bytes(raw)
        with contextlib.suppress(WasmpackError):
            found = find_credential("r.example", "a/b", OPTIONS)
            assert found is None or found.basic.isascii()


def test_tokens() -> None:
    challenge = 'Bearer realm="https://a/t"'
    for raw in json_mutants("tokens", TOKENS, MUTANTS):
        said = answered(200, raw).json()
        with contextlib.suppress(WasmpackError):
            found = authorization(challenge, None, ["s"], lambda *_, said=said: (200, said))
            assert found.isascii()
            assert found.isprintable()


@pytest.mark.parametrize("status", [400, 403, 404, 413, 415, 500, 799])
def test_what_errors_say(status: int) -> None:
    for raw in json_mutants(f"errors {status}", ERRORS, MUTANTS // 5):
        for made in (refusal, manifest_refusal):
            error = made(answered(status, raw), "do it", "")
            assert plain_text(redacted(error.message)).startswith("cannot do it: registry answered")


@pytest.mark.parametrize("key", ["tags", "manifests"])
def test_pages(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 3)
    links = text_mutants(f"links of {key}", LINKS, MUTANTS)
    for raw, link in zip(json_mutants(key, PAGES, MUTANTS), links, strict=True):
        listing = Listing(OnePage(raw, link), "list it", key)  # type: ignore[arg-type]
        with contextlib.suppress(WasmpackError, NoListing):
            for row in listing.rows("/v2/x", {200}):
                _ = listing.text(row) if key == "tags" else listing.descriptor(row)


class OnePage:
    """A registry that says the same to everything."""

    def __init__(self, raw: bytes, link: str) -> None:
        self._raw, self._link = raw, link
        base = Address.parse("https://r.example/")
        self._exchange = Exchange("r.example", base, OPTIONS)

    def retry_budget(self) -> RetryBudget:
        return RetryBudget(1, silence)

    def attempt(self, *_: object, **__: object) -> Answer:
        return answered(200, self._raw, {"Link": self._link})

    def own(self, url: str, target: str) -> str:
        return self._exchange.own(self._exchange.base.join(url), target).url


def answered(status: int, raw: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status=status, url="https://r.example/", headers=headers or {}, body=raw)
