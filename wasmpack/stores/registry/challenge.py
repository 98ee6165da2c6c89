"""Authentication challenges and bearer tokens (RFC 9110 11.6, Docker token protocol).

A token is asked for once with all the actions needed (``pull,push`` when pushing), because a
server that enforces scopes would otherwise refuse the first upload; and again on every 401,
because tokens expire.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wasmpack.errors import AccessRefused, RegistryUnavailable
from wasmpack.oci.canonical import JsonValue, find
from wasmpack.redaction import remember_token, shown_url
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.credentials import Credential
from wasmpack.stores.registry.headers import parameters

_SCHEMES = {"bearer", "basic"}
_CLIENT = "wasmpack"
_LONGEST_REALM = 200
"""Characters of a realm that are repeated."""
_NO_POST = (404, 405, 401)
"""Answers of token servers that exchange an identity token by GET alone, if at all."""
_LONGEST_TOKEN = 16384
"""Characters; servers take 8000 at least of a header field (RFC 9110 5.4 leaves it to them)."""

Ask = Callable[[str, str, Mapping[str, str | list[str]], Mapping[str, str]], tuple[int, JsonValue]]
"""``ask(method, url, fields, headers)`` -> status and decoded JSON of a token server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way the registry offers to identify oneself."""

    scheme: str
    """``bearer`` or ``basic``."""
    realm: str = ""
    service: str = ""
    scope: str = ""


def parse_challenges(header: str) -> list[Challenge]:
    """Read a ``WWW-Authenticate`` header with one or several challenges."""
    found: list[tuple[str, dict[str, str]]] = []
    for name, value in parameters(header):
        if value is None:
            found.append((name, {}))
        elif found:
            found[-1][1].setdefault(name, value)
    return [
        Challenge(
            scheme=scheme,
            realm=fields.get("realm", ""),
            service=fields.get("service", ""),
            scope=fields.get("scope", ""),
        )
        for scheme, fields in found
        if scheme in _SCHEMES
    ]


def authorization(
    header: str, credential: Credential | None, scopes: Sequence[str], ask: Ask
) -> str:
    """The ``Authorization`` value that answers a 401.

    :param scopes: what will be needed, ``repository:NAME:pull,push``
    :raises AccessRefused: credentials are needed and there are none, or they were refused
    """
    challenges = parse_challenges(header)
    if credential is not None and credential.registry_token:
        return f"Bearer {credential.secret}"
    for challenge in challenges:
        if challenge.scheme == "bearer" and challenge.realm:
            return "Bearer " + _token(challenge, credential, scopes, ask)
    if any(challenge.scheme == "basic" for challenge in challenges):
        if credential is None:
            raise AccessRefused("the registry wants a user name and password")
        return credential.basic
    raise AccessRefused("the registry refused access and offered no way to log in")


def _token(
    challenge: Challenge, credential: Credential | None, scopes: Sequence[str], ask: Ask
) -> str:
    try:
        realm = Address.parse(challenge.realm).url
    except ValueError:
        named = shown_url(challenge.realm, _LONGEST_REALM)
        raise RegistryUnavailable(f"the registry names no usable token server: {named!r}") from None
    wanted = _with_named(scopes, challenge.scope)
    status = _NO_POST[0]
    answer: JsonValue = None
    if credential is not None and credential.identity_token:
        form = {
            "service": challenge.service,
            "scope": " ".join(wanted),
            "client_id": _CLIENT,
            "grant_type": "refresh_token",
            "refresh_token": credential.secret,
        }
        status, answer = ask("POST", realm, form, {})
    if status in _NO_POST:
        headers = {"Authorization": credential.basic} if credential else {}
        fields: dict[str, str | list[str]] = {"service": challenge.service, "scope": wanted}
        status, answer = ask("GET", realm, fields, headers)
    if status in {401, 403}:
        raise AccessRefused("the registry's token server refused the credentials")
    token = _token_in(answer)
    if status != 200 or token is None:
        raise RegistryUnavailable(f"the registry's token server answered {status}, without a token")
    remember_token(token)
    return token


def _with_named(scopes: Sequence[str], named: str) -> list[str]:
    """Ours, and those of a challenge that ours do not include: some registries want both."""
    more = [one for one in named.split() if not any(_includes(own, one) for own in scopes)]
    return [*scopes, *more]


def _includes(scope: str, other: str) -> bool:
    (place, _, actions), (same, _, few) = scope.rpartition(":"), other.rpartition(":")
    return place == same and set(few.split(",")) <= set(actions.split(","))


def _token_in(answer: JsonValue) -> str | None:
    """The token, if it can stand in a header."""
    token = find(answer, str, "token") or find(answer, str, "access_token") or ""
    return token if len(token) <= _LONGEST_TOKEN and re.fullmatch("[!-~]+", token) else None
