"""One request and its answer: redirects followed, time bounded, exceptions as our errors."""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import requests

from wasmpack.errors import WasmpackError
from wasmpack.redaction import note, remember_query, shown_url
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.deadline import Deadline, under
from wasmpack.stores.registry.errors import LONGEST_WORDS, Answer, Misdirected
from wasmpack.stores.registry.failures import CONNECTING, TRANSPORT_ERRORS, Peer, failed
from wasmpack.stores.registry.headers import retry_after
from wasmpack.stores.registry.options import RegistryOptions, is_loopback
from wasmpack.stores.registry.proxies import proxies_for
from wasmpack.stores.registry.retries import TRANSIENT_STATUS, Transient
from wasmpack.stores.registry.session import new_session
from wasmpack.stores.registry.stall import WAITS, read_up_to
from wasmpack.stores.registry.tls_probe import speaks_tls
from wasmpack.stores.verified import Readable

RequestBody = Callable[[], bytes | Readable]
"""Makes the body again for every try."""
_HURRIED = 3.0
"""Seconds to wait for what the work does not hang on."""
_DRAINED = 1 << 16
"""Bytes of an answer that are read and thrown away to keep its connection."""
_REDIRECTS = 5
_BAD_REQUEST = 400
REDIRECTED = {301, 302, 303, 307, 308}
_LONGEST_PLACE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, as often as it takes to send it."""

    method: str
    address: Address
    headers: Mapping[str, str]
    body: RequestBody | None = None
    hurry: bool = False


def over_tls(request: Request) -> Request:
    """The same request with https, at the same port."""
    return replace(request, address=request.address.over_tls())


class Exchange:
    """The common part of all requests to one registry; used by several threads."""

    def __init__(
        self, registry: str, base: Address, options: RegistryOptions, *, noun: str = "registry"
    ) -> None:
        """Nothing is sent yet.

        :param noun: what messages call it
        :raises NotFound, BadArtifact: a certificate file that cannot be used
        """
        self.base = base
        self.session = new_session(options)
        """For the registry itself: only this one knows the client certificate."""
        self._elsewhere = (
            new_session(options.without_login()) if options.cert_file else self.session
        )
        self.session.get_adapter(base.url)
        self.registry = registry
        self.peer = Peer(host=registry, noun=noun, side=options.side)
        self._options = options
        self._may_turn = base.scheme == "http" and is_loopback(registry) and not options.plain_http
        """Nobody asked for plain HTTP, and the first answer is still to come."""
        self._turning = threading.Lock()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: RequestBody | None = None,
        *,
        hurry: bool = False,
    ) -> Request:
        """A request to send.

        :param url: absolute, or a path of this registry
        :param hurry: wait a few seconds at most: it is not what the work hangs on
        """
        address = self.base.join(url)
        return Request(
            method=method, address=address, headers=headers or {}, body=body, hurry=hurry
        )

    def turned_to_tls(self, status: int | None) -> bool:
        """Go over to TLS, if plain HTTP was our own idea, and the port speaks TLS.

        :param status: of the answer; None if there was none
        """
        with self._turning:
            asked = self._may_turn and status in {None, _BAD_REQUEST}
            self._may_turn = False
            turned = asked and speaks_tls(self.base)
            if turned:
                self.base = self.base.over_tls()
            return turned

    def deadline(self, request: Request) -> Deadline:
        """Time for all the waits of one answer: connecting, logging in, redirects, its body.

        Three timeouts, each request of a push by itself: a blob's HEAD, POST and PUT are three.
        One that takes longer has spent more than the retry budget, if the timeout is as by default:
        so the first such answer ends the push.
        """
        return Deadline(self._silence(request) * (1 if request.hurry else WAITS))

    def send(
        self, request: Request, authorization: str | None, deadline: Deadline
    ) -> requests.Response:
        """The head of the answer; what a redirect carries is not read.

        :param authorization: for the registry itself, never for where it redirects to
        :raises Transient: it may work the next time
        :raises Misdirected: redirects that go round, or to where we do not go
        """
        address = request.address
        for _ in range(_REDIRECTS + 1):
            response = self.once(request, address, authorization, deadline)
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTED or not location:
                return response
            response.close()
            address = self.follow(address, location)
        raise Misdirected(f"registry {self.registry}: more than {_REDIRECTS} redirects")

    def once(
        self, request: Request, address: Address, authorization: str | None, deadline: Deadline
    ) -> requests.Response:
        """The head of the answer from there, whatever it is."""
        ours = self.is_ours(address)
        headers = dict(request.headers)
        if authorization and ours:
            headers["Authorization"] = authorization
        made = request.body() if request.body else None
        silence, asked = self._silence(request), time.monotonic()
        try:
            with under(deadline):
                response = (self.session if ours else self._elsewhere).request(
                    request.method,
                    address.url,
                    data=made,
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(CONNECTING, silence), silence),
                    proxies=proxies_for(address),
                )
        except TRANSPORT_ERRORS as error:
            raise failed(error, self.peer, silence, deadline) from error
        finally:
            if made is not None and not isinstance(made, bytes):
                made.close()
        response.url = address.url  # not as the library writes it
        took, place = time.monotonic() - asked, shown_url(address.url, _LONGEST_PLACE)
        note(f"{request.method} {place}: {response.status_code} in {took:.2f} s")
        return response

    def answer(self, response: requests.Response, most: int, deadline: Deadline) -> Answer:
        """The whole answer with up to ``most`` bytes of body; the connection can be used again.

        :raises Transient: the body breaks, or comes too slowly
        """
        with response:
            if most:
                return self._made(response, self._read(response, most, deadline))
            _drain(response, deadline)
            return self._made(response, b"")

    def refusal(
        self,
        response: requests.Response,
        deadline: Deadline,
        refused: Callable[[Answer], WasmpackError],
    ) -> Transient | WasmpackError:
        """The error for an answer nobody hoped for, with what it says, if it says it soon.

        :param refused: makes it
        """
        brief, said = Deadline(min(_HURRIED, deadline.left)), b""
        with response, contextlib.suppress(Transient, WasmpackError):
            said = self._read(response, LONGEST_WORDS, brief)
        answer = self._made(response, said)
        error = refused(answer)
        if answer.status in TRANSIENT_STATUS:
            return Transient(error, retry_after(answer.headers.get("Retry-After", "")))
        return error

    def _made(self, response: requests.Response, body: bytes) -> Answer:
        return Answer(
            status=response.status_code,
            url=response.url,
            headers=response.headers,
            body=body,
            side=self._options.side,
        )

    def follow(self, here: Address, location: str) -> Address:
        """The target of a ``Location``, which never leads out of TLS.

        (Behind a proxy that ends TLS, registries name themselves with http://.)

        :raises Misdirected: an invalid URL; plain HTTP from a registry with TLS
        """
        remember_query(location)
        place = shown_url(location, _LONGEST_PLACE)
        try:
            found = here.join(location)
        except ValueError:
            raise Misdirected(
                f"registry {self.registry}: sends us to {place!r}, not an http or https URL"
            ) from None
        if self.base.scheme != "https" or found.scheme == "https":
            return found
        if found.with_tls().origin == self.base.origin:
            return found.with_tls()
        side = self._options.side
        raise Misdirected(
            f"registry {self.registry}: sends us to {place!r}, without TLS",
            hint=f"tell its operator; --{side}plain-http goes without TLS, if that is meant",
        )

    def own(self, here: Address, target: str) -> Address:
        """The target of a ``Link``, which is on the registry itself.

        :raises Misdirected: an invalid URL; another host or scheme
        """
        found = self.follow(here, target)
        if not self.is_ours(found):
            place = shown_url(target, _LONGEST_PLACE)
            raise Misdirected(
                f"registry {self.registry}: the next page is at {place!r}, not at the registry"
            )
        return found

    def is_ours(self, address: Address) -> bool:
        """BlobPush and blobs may live on other hosts, which must not see our credentials."""
        return address.origin == self.base.origin

    def _silence(self, request: Request) -> float:
        timeout = self._options.timeout
        return min(_HURRIED, timeout) if request.hurry else timeout

    def _read(self, response: requests.Response, most: int, deadline: Deadline) -> bytes:
        if response.raw.closed:
            return b""
        try:
            with deadline.on(response.raw.fileno()):
                return read_up_to(response, most)
        except TRANSPORT_ERRORS as error:
            silence = self._options.timeout
            raise failed(error, self.peer, silence, deadline) from error


def _drain(response: requests.Response, deadline: Deadline) -> None:
    """A small rest is read, if it is there, or the connection could not be used again."""
    length = response.headers.get("Content-Length", "")
    if not (length.isdecimal() and len(length) < 6 and int(length) <= _DRAINED):
        return
    with contextlib.suppress(*TRANSPORT_ERRORS):
        if not response.raw.closed:
            with deadline.on(response.raw.fileno()):
                response.raw.read1(_DRAINED)
