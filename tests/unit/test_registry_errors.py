"""A registry's refusals as our errors: by status and error code, never by words."""

import json

import pytest

from wasmpack.errors import AccessRefused, NotFound, RegistryUnavailable, WasmpackError
from wasmpack.stores.registry.errors import (
    Answer,
    ManifestDenied,
    ManifestRefused,
    RegistryError,
    TooLarge,
    manifest_refusal,
    refusal,
    registry_errors,
)

pytestmark = pytest.mark.dependencies


def answer(status: int, body: bytes = b"") -> Answer:
    return Answer(status=status, url="https://r.example/v2/", headers={}, body=body)


def errors(*rows: object) -> bytes:
    return json.dumps({"errors": rows}).encode()


INVALID = {"code": "MANIFEST_INVALID", "message": "manifest invalid"}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (answer(400, errors(INVALID)), ManifestRefused),
        (answer(400, errors({"code": "UNSUPPORTED"}, INVALID)), ManifestRefused),
        (answer(405), RegistryUnavailable),
        (answer(415), ManifestRefused),
        (answer(403), ManifestDenied),
        (answer(400, errors({"code": "UNKNOWN", "message": "MANIFEST_INVALID?"})),
         RegistryUnavailable),
        (answer(400, b"MANIFEST_INVALID"), RegistryUnavailable),
        (answer(404), NotFound),
        (answer(401), AccessRefused),
        (answer(413), TooLarge),
    ],
    ids=["code", "second code", "405", "415", "403", "in a message", "in plain text", "404", "401",
         "413"],
)  # fmt: skip
def test_a_manifest_is_refused_by_status_or_code(found: Answer, kind: type[WasmpackError]) -> None:
    assert type(manifest_refusal(found, "push MANIFEST_INVALID")) is kind


@pytest.mark.parametrize(
    ("body", "tls"),
    [
        (b"Client sent an HTTP request to an HTTPS server.\n", True),
        (errors({"code": "DENIED", "message": "HTTPS is required here"}), False),
        (b"", False),
    ],
    ids=["Go's server", "a message about HTTPS", "empty"],
)
def test_advice_about_tls_is_for_servers_that_expect_it(body: bytes, tls: bool) -> None:
    assert ("--ca-file" in refusal(answer(400, body), "ask HTTPS").hint) is tls


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (errors(INVALID), (RegistryError("MANIFEST_INVALID", "manifest invalid"),)),
        (errors({"code": 7}, "text", None), (RegistryError("7", ""),)),
        (errors(*[INVALID] * 50), (RegistryError("MANIFEST_INVALID", "manifest invalid"),) * 5),
        (b'{"errors": {}}', ()),
        (b"[]", ()),
        (b"<html>", ()),
        (b"\xff\xfe", ()),
    ],
    ids=["one", "odd rows", "many", "no list", "no object", "HTML", "no text"],
)
def test_error_codes_are_data(body: bytes, found: tuple[RegistryError, ...]) -> None:
    assert registry_errors(body) == found


def test_the_sentence_is_what_the_registry_answered() -> None:
    message = refusal(answer(400, errors(INVALID, {"code": "X"})), "push quay.io/me/x").message
    assert message == (
        "cannot push quay.io/me/x: registry answered: 400 Bad Request "
        "(MANIFEST_INVALID: manifest invalid; X)"
    )
