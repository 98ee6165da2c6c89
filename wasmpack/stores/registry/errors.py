"""Small answers of a registry as values, and those that were not hoped for as our errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses

from wasmpack.errors import (
    AccessRefused,
    BadArtifact,
    NotFound,
    RegistryUnavailable,
    WasmpackError,
)
from wasmpack.oci.canonical import JsonValue, find, parse_json
from wasmpack.redaction import shown

TOO_LARGE = 413
_PROXY_REFUSES = 407
SMALL = 4 * 1024 * 1024
"""Most bytes of a token answer or a page of tags."""
LONGEST_WORDS = 8192
"""Bytes of an error's body that are looked at."""
_MOST_ERRORS = 5
_MANIFEST_INVALID = "MANIFEST_INVALID"
_TLS_EXPECTED = b"HTTP request to an HTTPS server"
"""In the body of a server of Go that is spoken to without TLS (net/http, server.go)."""
_LONGEST_SENTENCE = 500
_COMPAT = "push --variant auto, or build --variant compat"


class TooLarge(RegistryUnavailable):
    """More bytes in one request than the registry takes (413)."""


class Misdirected(RegistryUnavailable):
    """A redirect that is not followed."""


class Unanswered(RegistryUnavailable):
    """A request that only saves work, refused by the registry."""


class ManifestDenied(AccessRefused):
    """The registry takes the blobs, and denies the manifest (403): some do so for its kind."""


class ManifestRefused(RegistryUnavailable):
    """The registry takes the blobs but not this kind of manifest (415, MANIFEST_INVALID)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that was read to its end, or as far as anybody wants to know it."""

    status: int
    url: str
    """Its address, after redirects."""
    headers: Mapping[str, str]
    body: bytes = b""
    side: str = ""
    """:attr:`RegistryOptions.side` of the request."""

    @property
    def media_type(self) -> str:
        """``Content-Type`` without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    def json(self) -> JsonValue:
        """The body, or None if it is not usable JSON."""
        try:
            return parse_json(self.body, "answer") if len(self.body) <= SMALL else None
        except BadArtifact:
            return None


def refusal(answer: Answer, what: str, hint: str = "") -> WasmpackError:
    """The error for an answer that is not the one hoped for.

    :param what: what was tried, for the sentence ("push the manifest of quay.io/me/x:v1")
    :param hint: the next step where the registry has no such thing
    """
    message = _sentence(answer, what)
    status = answer.status
    if status in {401, 403}:
        return AccessRefused(message, hint="check the account's rights there")
    if status in {404, 410}:
        return NotFound(message, hint=hint or "check the name")
    if status == TOO_LARGE:
        return TooLarge(message, hint="the registry, or a proxy before it, limits the size")
    tls = status == 400 and _TLS_EXPECTED in answer.body
    options = f"it speaks TLS: --{answer.side}ca-file FILE, or --{answer.side}insecure"
    return RegistryUnavailable(message, hint=options if tls else "")


def unanswered(answer: Answer, what: str, _hint: str = "") -> WasmpackError:
    """As :func:`refusal`, of a request that only saves work (a proxy refuses the others too)."""
    if answer.status == _PROXY_REFUSES:
        return refusal(answer, what)
    return Unanswered(_sentence(answer, what))


def push_refusal(answer: Answer, what: str, hint: str = "") -> WasmpackError:
    """As :func:`refusal`, for what a registry that only reads refuses (405)."""
    if answer.status != 405:
        return refusal(answer, what, hint)
    hint = "it takes no pushes, like a pull-through cache: push to the registry behind it"
    return RegistryUnavailable(_sentence(answer, what), hint=hint)


def manifest_refusal(answer: Answer, what: str, hint: str = "") -> WasmpackError:
    """As :func:`refusal`, for a manifest whose kind the registry may not want."""
    message = _sentence(answer, what)
    if answer.status == 403:
        return ManifestDenied(message, hint=_COMPAT)
    codes = {error.code for error in registry_errors(answer.body)}
    if answer.status != 415 and _MANIFEST_INVALID not in codes:
        return push_refusal(answer, what, hint)
    return ManifestRefused(message, hint=f"this registry refuses custom media types: {_COMPAT}")


def deletion_refusal(answer: Answer, what: str, hint: str = "") -> WasmpackError:
    """As :func:`refusal`, for what many registries do not offer."""
    if answer.status not in {400, 405, 501}:
        return refusal(answer, what, hint)
    hint = "this registry deletes nothing for clients: ask its operator, or use its web page"
    return RegistryUnavailable(_sentence(answer, what), hint=hint)


@dataclass(frozen=True, slots=True)
class RegistryError:
    """One error of a body (distribution-spec, "Error Codes")."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}".strip(": ")


def registry_errors(body: bytes) -> tuple[RegistryError, ...]:
    """The first errors that a body lists; none if it is something else."""
    try:
        value = parse_json(body, "answer")
    except BadArtifact:
        return ()
    rows = (find(value, list, "errors") or [])[:_MOST_ERRORS]
    return tuple(
        RegistryError(code=str(row.get("code", "")), message=str(row.get("message", "")))
        for row in rows
        if isinstance(row, dict)
    )


def _registry_words(body: bytes) -> str:
    if _TLS_EXPECTED in body:
        return "an HTTP request was sent to an HTTPS server"
    return shown("; ".join(map(str, registry_errors(body))), _LONGEST_SENTENCE)


def _sentence(answer: Answer, what: str) -> str:
    said = _registry_words(answer.body)  # it may repeat what it was shown
    status = f"{answer.status} {responses.get(answer.status, '?')}"
    return f"cannot {what}: registry answered: {status}{f' ({said})' if said else ''}"
