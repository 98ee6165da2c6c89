"""oras-py's registry session with our own idea of a request.

Overridden here: attempts and waits with a budget, time for everything, the scope asked for at once,
a new token on every 401, bodies that can be sent again, credentials for the registry's host only.
One transport may be used by several threads.
"""

import importlib.util
import sys
from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import Any

import requests

from wasmpack.errors import Notice, WasmpackError, WrongUsage, silence
from wasmpack.oci.reference import Reference, RegistryName
from wasmpack.redaction import redacted, shown
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.deadline import Deadline
from wasmpack.stores.registry.errors import Answer, refusal, unanswered
from wasmpack.stores.registry.exchange import Exchange, Request, RequestBody, over_tls
from wasmpack.stores.registry.headers import LONGEST_HEADER, warning_texts
from wasmpack.stores.registry.login import Login
from wasmpack.stores.registry.options import RegistryOptions, api_host
from wasmpack.stores.registry.retries import RetryBudget, Transient


class _Unloaded(ModuleType):
    """Stands for a module until something in it is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


if "jsonschema" not in sys.modules:
    # oras imports it, which is a third of its start-up, for methods that are not used here.
    # (LazyLoader does not help: in Python 3.11 a second ``import`` statement makes it load.)
    unloaded = _Unloaded("jsonschema")
    unloaded.__spec__ = importlib.util.find_spec("jsonschema")
    sys.modules["jsonschema"] = unloaded
from oras.provider import Registry  # noqa: E402 - after what it is to do without

_MOST_WARNINGS = 20
"""Different warnings of one registry that are passed on."""


class Transport(Registry):  # type: ignore[misc]
    """Requests to one registry, with the rights to one repository or two."""

    def __init__(
        self,
        reference: Reference | RegistryName,
        options: RegistryOptions,
        actions: str,
        also_pull: str = "",
        *,
        notice: Notice = silence,
    ) -> None:
        """Nothing is sent yet.

        :param actions: ``pull`` or ``pull,push``, the scope tokens are asked for
        :param also_pull: another repository there, to mount blobs from
        :raises WrongUsage: the name has no registry
        """
        if isinstance(reference, Reference) and not reference.names_registry:
            raise WrongUsage(
                f"{reference}: names no registry", hint="a full name such as quay.io/me/plugin:v1"
            )
        options = options.at(reference.registry)
        host = api_host(reference.registry)
        super().__init__(
            hostname=host,
            insecure=options.uses_http(reference.registry),
            tls_verify=not options.insecure,
        )
        self.registry = reference.registry
        self.options = options
        self._told = notice
        try:
            base = Address.parse(f"{self.prefix}://{host}/")
        except ValueError as error:
            raise WrongUsage(f"registry {self.registry}: {error}") from None
        repository = "" if isinstance(reference, RegistryName) else reference.repository
        rights = {repository: actions, also_pull: "pull"}
        self._warned: set[str] = set()
        self._exchange = options.shared(
            self.registry, lambda: Exchange(self.registry, base, options)
        )
        self._login = Login(self._exchange, rights, options, self._notice)
        self.session = self._exchange.session

    @property
    def challenge(self) -> str:
        """The first ``WWW-Authenticate`` that this registry answered with."""
        return self._login.challenge

    def retry_budget(self) -> RetryBudget:
        """A full one, for a new piece of work."""
        return RetryBudget(self.options.retries + 1, self._notice)

    def request(
        self, method: str, url: str, what: str, expect: Collection[int], **more: Any
    ) -> Answer:
        """As :meth:`attempt`, again and again as long as that can help."""
        return self.retry_budget().run(lambda: self.attempt(method, url, what, expect, **more))

    def ask(self, method: str, url: str, what: str, **more: Any) -> Answer:
        """As :meth:`request`, where the answer only saves work: 200 or 404.

        :raises Unanswered: any other answer
        """
        return self.request(method, url, what, {200, 404}, refused=unanswered, **more)

    def warn(self, text: str) -> None:
        """Tell the user something of this registry, once."""
        if text not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(text)
            self._notice(text)

    def attempt(
        self,
        method: str,
        url: str,
        what: str,
        expect: Collection[int],
        *,
        headers: Mapping[str, str] | None = None,
        body: RequestBody | None = None,
        most: int = 0,
        hint: str = "",
        refused: Callable[[Answer, str, str], WasmpackError] = refusal,
        hurry: bool = False,
    ) -> Answer:
        """Send once, answering a challenge; the answer has one of the codes that are expected.

        :param url: absolute, or a path of this registry; credentials go to this registry only
        :param what: what is tried, for errors ("read the manifest of quay.io/me/x:v1")
        :param most: bytes of the body that are of use; there may be one more
        :param hint: the next step where the registry has no such thing
        :param refused: makes the error of an answer that is not expected
        :param hurry: wait a few seconds at most: it is not what the work hangs on
        :raises Transient: it may work the next time
        :raises AccessRefused: 403, or 401 with fresh credentials
        :raises RegistryUnavailable, NotFound: what the registry answered cannot get better
        """
        request = self._exchange.request(method, url, headers, body, hurry=hurry)
        response, deadline = self._send(request, expect, lambda answer: refused(answer, what, hint))
        wanted = most + 1 if most and response.status_code == 200 else 0
        return self._exchange.answer(response, wanted, deadline)

    def open(
        self, url: str, what: str, expect: Collection[int], headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """As :meth:`attempt` with GET, for a body that the caller reads, as slow as it may be."""
        request = self._exchange.request("GET", url, headers)
        return self._send(request, expect, lambda answer: refusal(answer, what))[0]

    def follow(self, here: str, location: str) -> str:
        """The target of a ``Location`` in this answer.

        :raises RegistryUnavailable: to where we do not go
        """
        return self._exchange.follow(Address.parse(here), location).url

    def own(self, url: str, target: str) -> str:
        """The target of a ``Link`` in the answer from there; ``url`` as for :meth:`attempt`.

        :raises RegistryUnavailable: not to the registry itself
        """
        return self._exchange.own(self._exchange.base.join(url), target).url

    def _send(
        self,
        request: Request,
        expect: Collection[int],
        refused: Callable[[Answer], WasmpackError],
    ) -> tuple[requests.Response, Deadline]:
        deadline = self._exchange.deadline(request)
        plain = self._exchange.is_ours(request.address)
        try:
            response = self._authorized(request, deadline)
        except Transient:
            if plain and self._turned_to_tls(None):
                return self._send(over_tls(request), expect, refused)
            raise
        if plain and self._turned_to_tls(response.status_code):
            response.close()
            return self._send(over_tls(request), expect, refused)
        if response.status_code not in expect:
            raise self._exchange.refusal(response, deadline, refused)
        return response, deadline

    def _turned_to_tls(self, status: int | None) -> bool:
        turned = self._exchange.turned_to_tls(status)
        if turned:
            self._notice(f"registry {self.registry}: no plain HTTP, going on with TLS")
        return turned

    def _authorized(self, request: Request, deadline: Deadline) -> requests.Response:
        used = self._login.authorization
        response = self._exchange.send(request, used, deadline)
        if self._is_challenge(response):
            headers = self._exchange.answer(response, 0, deadline).headers
            self._login.answer(headers.get("WWW-Authenticate", ""), used, deadline)
            response = self._exchange.send(request, self._login.authorization, deadline)
        if self._is_challenge(response):
            response.close()
            raise self._login.refused()
        self._pass_on_warnings(response)
        return response

    def _is_challenge(self, response: requests.Response) -> bool:
        ours = self._exchange.is_ours(Address.parse(response.url))
        return response.status_code == 401 and ours

    def _pass_on_warnings(self, response: requests.Response) -> None:
        """``Warning: 299`` is for the user, once (distribution-spec, "Warnings")."""
        header = shown(response.headers.get("Warning", ""), LONGEST_HEADER)
        for text in warning_texts(header):
            self.warn(f"registry {self.registry} warns: {text}")

    def _notice(self, text: str) -> None:
        self._told(redacted(text))
