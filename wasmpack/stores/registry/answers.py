"""What goes wrong with a registry, in words: responses and exceptions to our errors.

The only place that knows requests' and urllib3's exception classes.
"""

import json
import re
from http import HTTPStatus

import requests
import urllib3

from wasmpack.errors import (
    AccessRefused,
    BadArtifact,
    NotFound,
    RegistryUnavailable,
    WasmpackError,
)
from wasmpack.oci.canonical import JsonValue, parse_json
from wasmpack.stores.registry.pace import hurry, read_up_to
from wasmpack.stores.registry.patience import Transient

TOO_LARGE = 413
CONNECTING = 5.0
"""Seconds to wait for a connection."""
_WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_LONGEST_ADDRESS = 200
LONGEST_HEADER = 4096
"""Most characters of a header that are looked at."""
_BODY_LIMIT = 8192
_FOR_WORDS = 3.0
"""Seconds in which an error's body has to keep coming: it is not needed."""
_COMPAT = "push --variant auto, or build --variant compat"
_SMALL = 4 * 1024 * 1024
"""Most bytes of a token answer or a page of tags."""
TRANSPORT_ERRORS = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    ValueError,  # addresses and headers that are none
)
"""What the transport raises, on the way there or while it reads."""


class TooLarge(RegistryUnavailable):
    """More bytes in one request than the registry takes (413)."""


class ManifestDenied(AccessRefused):
    """The registry takes the blobs, and denies the manifest (403): some do so for its kind."""


class ManifestRefused(RegistryUnavailable):
    """The registry takes the blobs but not this kind of manifest (415, 405, MANIFEST_INVALID)."""


def refusal(
    response: requests.Response, what: str, hint: str = "", said: str | None = None
) -> WasmpackError:
    """The error for an answer that is not the one hoped for.

    :param what: what was tried, for the sentence ("push the manifest of quay.io/me/x:v1")
    :param hint: the next step where the registry has no such thing
    :param said: what the body says, if it was read before
    """
    status = response.status_code
    said = registry_words(response) if said is None else said
    message = f"cannot {what}: registry answered: {status} {_phrase(status)}{said}"
    if status in {401, 403}:
        return AccessRefused(message, hint="check the account's rights there")
    if status in {404, 410}:
        return NotFound(message, hint=hint or "check the name")
    if status == TOO_LARGE:
        return TooLarge(message, hint="the registry, or a proxy before it, limits the size")
    tls = status == 400 and "HTTPS" in said
    return RegistryUnavailable(
        message, hint="it speaks TLS: --ca-file FILE, or --insecure" if tls else ""
    )


def manifest_refusal(response: requests.Response, what: str, hint: str = "") -> WasmpackError:
    """As :func:`refusal`, for a manifest whose kind the registry may not want."""
    status, said = response.status_code, registry_words(response)
    if status == 403:
        return ManifestDenied(refusal(response, what, hint, said).message, hint=_COMPAT)
    if status not in {405, 415} and "MANIFEST_INVALID" not in said:
        return refusal(response, what, hint, said)
    return ManifestRefused(
        f"cannot {what}: registry answered: {status} {_phrase(status)}{said}",
        hint=f"this registry refuses custom media types: {_COMPAT}",
    )


def failed(error: Exception, registry: str, patience: float) -> Transient | WasmpackError:
    """What to raise for an exception of the transport: it may pass, or it will not.

    :param patience: seconds that were waited, if it is that nothing came
    """
    found = unavailable(error, registry)
    if not _may_pass(error):
        return found
    if not _is_silence(error):
        return Transient(found)
    connecting = isinstance(error, requests.exceptions.ConnectTimeout)
    return Transient(found, silence=min(CONNECTING, patience) if connecting else patience)


def _is_silence(error: Exception) -> bool:
    silent = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    cause = _root(error)
    if isinstance(cause, urllib3.exceptions.NewConnectionError):  # a timeout by its ancestry only
        return False
    return isinstance(error, silent) or isinstance(cause, silent)


def shown(url: str) -> str:
    """An address without what may be as good as a key: user, query, fragment."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", re.sub(r"[?#][^\s'\")]*", "", url))[:_LONGEST_ADDRESS]


def _may_pass(error: Exception) -> bool:
    """Connections that break and hosts that are slow; no certificates, names or addresses."""
    cause, text = _root(error), str(_root(error))
    if isinstance(error, requests.exceptions.SSLError):
        return "EOF" in text and "VERIFY" not in text
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "emporary failure" in text
    if isinstance(error, requests.exceptions.ProxyError):
        return re.search(r"failed: 40[37]\b", text) is None
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.ProtocolError,
        urllib3.exceptions.TimeoutError,
        OSError,
    )
    return isinstance(error, passing) and not isinstance(error, requests.exceptions.InvalidURL)


def unavailable(error: Exception, registry: str) -> WasmpackError:
    """The error for an exception of the transport."""
    reason, hint = _reason(error)
    return RegistryUnavailable(f"registry {registry}: {reason}", hint=hint)


def warnings_in(response: requests.Response) -> list[str]:
    """Texts of ``Warning`` headers with code 299 (distribution-spec, "Warnings")."""
    header = response.headers.get("Warning", "")[:LONGEST_HEADER]
    return [text.replace('\\"', '"') for text in _WARNING.findall(header)]


def small_json(response: requests.Response, window: float) -> JsonValue:
    """The body of a short answer, or None if it is no usable JSON; never more than 4 MiB."""
    raw = read_up_to(response, _SMALL + 1, window)
    if len(raw) > _SMALL:
        return None
    try:
        return parse_json(raw, "answer")
    except BadArtifact:
        return None


def registry_words(response: requests.Response) -> str:
    """Codes and messages out of the body (distribution-spec, "Error Codes")."""
    try:
        hurry(response, _FOR_WORDS)
        text = read_up_to(response, _BODY_LIMIT, _FOR_WORDS)
        if b"HTTP request to an HTTPS server" in text:
            return " (an HTTP request was sent to an HTTPS server)"
        errors = json.loads(text)["errors"]
        words = [f"{e.get('code', '')}: {e.get('message', '')}".strip(": ") for e in errors[:5]]
    except (*TRANSPORT_ERRORS, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return f" ({'; '.join(words)[:500]})" if words else ""


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, requests.exceptions.ProxyError):
        return (
            f"the proxy on the way: {_cause(error)[0]}",
            "check HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        )
    return _cause(error)


def _cause(error: Exception) -> tuple[str, str]:
    cause = _root(error)
    text = shown(str(cause))
    if isinstance(error, requests.exceptions.SSLError):
        if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
            return "it speaks plain HTTP, not TLS", "--plain-http, if that is meant"
        return f"TLS: {_tls(text)}", "--ca-file FILE for a private authority; --insecure to go on"
    if _is_silence(error):
        return "no answer in time", "--timeout SECONDS waits longer"
    if isinstance(cause, urllib3.exceptions.NameResolutionError) or "Name or service" in text:
        return "unknown host", "check the registry's name"
    if isinstance(cause, urllib3.exceptions.LocationParseError):
        return "an address that is none", "check the registry's name and HTTPS_PROXY"
    if "refused" in text:
        return "connection refused", "check host and port; is the registry running?"
    if "HTTPS" in text or "malformed" in text.lower():
        return f"protocol error: {text[:200]}", ""
    return f"connection failed: {type(cause).__name__}: {text[:200]}", ""


def _root(error: BaseException) -> BaseException:
    """The urllib3 or system error behind requests' wrapping."""
    while True:
        inner = next((part for part in error.args[:2] if isinstance(part, Exception)), None)
        inner = inner or getattr(error, "reason", None)
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner


def _tls(text: str) -> str:
    return text.partition("]")[2].partition("(_ssl")[0].strip(" :") or text[:200]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "?"
