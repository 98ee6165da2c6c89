"""Text for people to read, without passwords, tokens and signed addresses.

The secrets of this run are known literally, in every form in which they may come back (a proxy's
error page, a library's exception, a traceback); patterns catch those that nobody has told us.

>>> redacted("cannot reach https://me:hunter2@quay.io/blob?X-Amz-Signature=abc")
'cannot reach https://quay.io/blob?…'
"""

import os
import re
import threading
from collections.abc import Iterator

HIDDEN = "…"
_SHORTEST = 4
"""Characters; anything shorter would turn up in words that are no secret, and give itself away."""
_MOST = 512
"""Secrets that are remembered: a process that lives long gets a new token every few minutes."""
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_USER = re.compile(r"(?<=://)[^/\s'\"]*@")
_LOGIN = re.compile(r"\b(Bearer|Basic) +(?=[^\s'\",]*[0-9=_.+/-])[^\s'\",]{8,}", re.IGNORECASE)
_ENDS_LOGIN = re.compile(r"[/@?#]")
"""What a parser takes for the end of a login; in a password it should have been encoded."""
_WORD = re.compile(r"[^\s'\"<>()]+")
_known: dict[str, None] = {}
_remembering = threading.Lock()


def remember_secret(*secrets: str | None) -> None:
    """From now on these are left out of what is shown."""
    with _remembering:
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                _known[secret] = None
        while len(_known) > _MOST:
            del _known[next(iter(_known))]


def redacted(text: str) -> str:
    """The text without secrets, without users in addresses, and without their queries."""
    with _remembering:
        secrets = {*_known, *_of_environment()}
    forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    text = _LOGIN.sub(rf"\1 {HIDDEN}", _USER.sub("", text))
    return _WORD.sub(_without_query, text)


def _without_query(word: re.Match[str]) -> str:
    """Signatures are in queries and fragments; a path that merely has a ``?`` stays."""
    text = word[0]
    head, mark, rest = text.partition("?")
    if "://" in head:
        place, sharp, _ = head.partition("#")
        return f"{place}#{HIDDEN}" if sharp else f"{head}{mark}{HIDDEN if mark else ''}"
    return f"{head}?{HIDDEN}" if "/" in head and "=" in rest else text


def _of_environment() -> Iterator[str]:
    """The password of this run, and the logins of proxies, however malformed their addresses."""
    yield os.environ.get("WASMPACK_PASSWORD", "")
    for name in _PROXIES:
        for value in (os.environ.get(name), os.environ.get(name.lower())):
            login, at, _ = (value or "").rpartition("@")
            if at:
                login = login.partition("://")[2] or login
                password = login.partition(":")[2]
                yield from (login, password, *_ENDS_LOGIN.split(password))


def _forms(secret: str) -> Iterator[str]:
    """The ways in which libraries and servers write a secret."""
    import base64
    import json
    from urllib.parse import quote, quote_plus, unquote

    plain = unquote(secret)
    for text in {secret, plain}:
        raw = text.encode(errors="surrogatepass")
        yield text
        yield repr(text)[1:-1]
        yield json.dumps(text)[1:-1]
        for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
            yield quoted
            yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
        for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
            yield encoded.decode().rstrip("=")


def plain_text(text: str) -> str:
    """Text from anybody, with what would steer a terminal written out (``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
