"""From exceptions of the transport to our errors.

The only place that knows requests' and urllib3's exception classes.
"""

import http.client
import re
from dataclasses import dataclass

import requests
import urllib3

from wasmpack.errors import RegistryUnavailable, WasmpackError
from wasmpack.redaction import shown
from wasmpack.stores.registry.deadline import Deadline
from wasmpack.stores.registry.retries import Transient

CONNECTING = 5.0
"""Seconds to wait for a connection."""
_LONGEST_TEXT = 200
_WAITS_LONGER = "--timeout SECONDS waits longer"
TRANSPORT_ERRORS = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # addresses, headers and numbers that cannot be
    OverflowError,
)
"""Raised by the transport, on the way there or while it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other end of a connection, as messages name it."""

    host: str
    noun: str = "registry"
    side: str = ""
    """:attr:`RegistryOptions.side`"""

    def __str__(self) -> str:
        return f"{self.noun} {self.host}"

    @property
    def without_tls(self) -> str:
        """The way to reach it over plain HTTP."""
        return f"--{self.side}plain-http" if self.noun == "registry" else "http:// in the URL"

    @property
    def again(self) -> str:
        """Advice after a connection that broke."""
        if self.noun == "registry":
            return "--retries N tries again more often"
        return "try again; does it speak http:// or https://?"


def failed(
    error: Exception, peer: Peer, silence: float, deadline: Deadline
) -> Transient | WasmpackError:
    """The error for an exception of the transport, transient or final.

    :param silence: seconds that were waited, if it is that nothing came
    :param deadline: the one that it had to keep to
    """
    if deadline.passed:
        late = f"{peer}: no complete answer within {deadline.seconds:g} s"
        overdue = RegistryUnavailable(late, hint=_WAITS_LONGER)
        return Transient(overdue, silence=deadline.seconds)
    found = unavailable(error, peer)
    if not _may_pass(error):
        return found
    if not _is_silence(error):
        return Transient(found)
    connecting = isinstance(error, requests.exceptions.ConnectTimeout)
    return Transient(found, silence=min(CONNECTING, silence) if connecting else silence)


def _is_silence(error: Exception) -> bool:
    silent = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
    cause = _root(error)
    if isinstance(cause, urllib3.exceptions.NewConnectionError):  # a timeout by its ancestry only
        return False
    return isinstance(error, silent) or isinstance(cause, silent)


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


def unavailable(error: Exception, peer: Peer) -> WasmpackError:
    """The error for an exception of the transport."""
    reason, hint = _reason(error, peer)
    return RegistryUnavailable(f"{peer}: {reason}", hint=hint)


def _reason(error: Exception, peer: Peer) -> tuple[str, str]:
    if isinstance(error, requests.exceptions.ProxyError):
        return (
            f"the proxy on the way: {_cause(error, peer)[0]}",
            "check HTTPS_PROXY, HTTP_PROXY, NO_PROXY",
        )
    return _cause(error, peer)


def _cause(error: Exception, peer: Peer) -> tuple[str, str]:
    cause = _root(error)
    text = shown(str(cause), _LONGEST_TEXT)
    if isinstance(error, requests.exceptions.SSLError):
        if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text:
            return "it speaks plain HTTP, not TLS", f"{peer.without_tls}, if that is meant"
        hint = f"--{peer.side}ca-file FILE for a private authority; --{peer.side}insecure to go on"
        if "EOF" in text:  # servers that take the greeting for a request, and end it
            hint = f"{peer.without_tls}, if it speaks plain HTTP"
        return f"TLS: {_tls(text)}", hint
    if _is_silence(error):
        return "no answer in time", _WAITS_LONGER
    if isinstance(cause, urllib3.exceptions.NameResolutionError) or "Name or service" in text:
        return "unknown host", f"check the {peer.noun}'s name"
    if isinstance(cause, urllib3.exceptions.LocationParseError):
        return "an invalid address", f"check the {peer.noun}'s name and HTTPS_PROXY"
    if "refused" in text:
        return "connection refused", f"check host and port; is the {peer.noun} running?"
    return _broken(cause, text, peer)


def _broken(cause: BaseException, text: str, peer: Peer) -> tuple[str, str]:
    """A connection that was there, in words rather than the names of Python's exceptions."""
    if isinstance(cause, http.client.IncompleteRead | urllib3.exceptions.IncompleteRead):
        return "the answer ended early", peer.again
    if isinstance(cause, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError):
        return "the connection was closed before the answer was complete", peer.again
    if isinstance(cause, http.client.BadStatusLine):
        return f"the answer is not HTTP: {text}", "check host and port"
    if "HTTPS" in text or "malformed" in text.lower():
        return f"protocol error: {text}", ""
    if isinstance(cause, OSError) and cause.strerror:
        return f"connection failed: {cause.strerror.lower()}", ""
    return f"connection failed: {text or type(cause).__name__}", ""


def _root(error: BaseException) -> BaseException:
    """The urllib3 or system error behind requests' wrapping."""
    while True:
        inner = next((part for part in error.args[:2] if isinstance(part, Exception)), None)
        inner = inner or getattr(error, "reason", None)
        if not isinstance(inner, BaseException) or inner is error:
            return error
        error = inner


def _tls(text: str) -> str:
    return text.partition("]")[2].partition("(_ssl")[0].strip(" :") or text
