"""Text for people to read, without passwords, tokens and signed addresses: also notes of the work.

The secrets of this run are known literally, in every form in which they may come back (a proxy's
error page, a library's exception, a traceback); patterns catch those that we were not given.

>>> redacted("cannot reach https://me:hunter2@quay.io/blob?X-Amz-Signature=abc")
'cannot reach https://quay.io/blob?…'
"""

import contextlib
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import urlsplit

HIDDEN = "…"
_SHORTEST = 4
"""Characters; anything shorter would occur in ordinary words, and give itself away."""
_LONGEST = 4000
"""Characters of a text in a message."""
_MOST = 128
"""Tokens, and queries, that are remembered: registries may send new ones without end."""
_PROXY = "_proxy"
"""Ends the names of variables, in any case, that urllib looks for proxies in."""
_PROXIES_IN_USE = {"http_proxy", "https_proxy", "all_proxy"}
"""Those that are asked for http and https: one without an ``@`` may be a login without a host."""
_USER = re.compile(r"(?:(?<=://)|(?<=http:/)|(?<=https:/))[^/\s'\"]*@")
"""The login in a URL, and in one that was taken for a path, which has one slash."""
_LOGIN = re.compile(r"\b(Bearer|Basic) +(?=[^\s'\",]*[0-9=_.+/-])[^\s'\",]{8,}", re.IGNORECASE)
_ENDS_LOGIN = re.compile(r"[/@?#]")
"""Characters that end a login for a parser; a password should have them encoded."""
_WITHOUT_LOGIN = re.compile(r"(?:\[[^]]*\]|[^:]*)(?::[0-9]{1,5})?/?")
"""A proxy's host and port, whatever else is missing in its address."""
_WORD = re.compile(r"\S+")
_PATH = re.compile(r"[^\w/]*/")
"""How a path begins, in quotes or not."""
_PARAMETER = re.compile(r";([^/?#]+)")
"""A parameter of a path segment (RFC 3986 3.3); some services put signatures there."""
_AFTER_WORD = "'\")>]},;:."
"""Punctuation that may follow a URL in a sentence."""
Place = tuple[int, int]
"""Start and end of a part of a text."""
_URL = "!#$%&'()*+,/:;=?@[]~"
"""Characters that requests leaves as they are in a URL (``requote_uri``)."""


class Secrets:
    """Credentials in all the forms in which they may be written.

    Looking for them takes the time of the text, however many there are: each resource of a file
    may have its own login.
    """

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._forms: dict[str, dict[int, set[str]]] = {}
        """By their first characters and their length."""

    def add(self, secret: str) -> None:
        if secret in self._seen:
            return
        self._seen.add(secret)
        for form in _written(secret) if len(secret) >= _SHORTEST else ():
            if len(form) >= _SHORTEST:
                same_start = self._forms.setdefault(form[:_SHORTEST], {})
                same_start.setdefault(len(form), set()).add(form)

    def places(self, text: str) -> Iterator[Place]:
        """The occurrences of all secrets."""
        for at in range(len(text) - _SHORTEST + 1 if self._forms else 0):
            for size, forms in self._forms.get(text[at : at + _SHORTEST], {}).items():
                if text[at : at + size] in forms:
                    yield at, at + size


_known = Secrets()
_tokens: deque[str] = deque(maxlen=_MOST)
_queries: deque[str] = deque(maxlen=_MOST)
_remembering = threading.Lock()


def remember_secret(*secrets: str | None) -> None:
    """From now on these credentials are left out of what is shown, and never forgotten."""
    with _remembering:
        for secret in filter(None, secrets):
            _known.add(secret)


def remember_token(token: str) -> None:
    """As :func:`remember_secret`, until a server has given many others."""
    with _remembering:
        _tokens.append(token)


def remember_query(url: str) -> None:
    """Queries and parameters may be signed: as :func:`remember_token`, in a separate ring."""
    place, _, query = url.partition("#")[0].partition("?")
    with _remembering:
        _queries.extend(filter(None, [query, *_PARAMETER.findall(place)]))


def redacted(text: str) -> str:
    """The text without secrets, without users in addresses, and without their queries."""
    with _remembering:
        places = [*_known.places(text)]
        others = {*_tokens, *_queries, *_of_environment()}
    for secret in others:
        for form in _forms(secret) if len(secret) >= _SHORTEST else ():
            places += _occurrences(form, text)
    text = _without(text, places)
    text = _LOGIN.sub(rf"\1 {HIDDEN}", _USER.sub("", text))
    return _WORD.sub(_unsigned, text)


def shown(text: str, most: int) -> str:
    """The first characters of a redacted text: cut before, half a secret would not be known."""
    text = redacted(text)
    return text if len(text) <= most else f"{text[:most]}{HIDDEN}"


def bounded(text: str) -> str:
    """A text in a message: without secrets that a server may repeat, and cut.

    A name out of a hostile file may be as long as the file, and be in many messages.
    """
    if len(text) > 2 * _LONGEST:  # at the end of a word: half a secret would not be known
        text = text[: 2 * _LONGEST].rsplit(maxsplit=1)[0]
    return shown(text, _LONGEST)


def shown_url(url: str, most: int) -> str:
    """A URL from outside, without user, parameters, query and fragment, whatever they hold."""
    try:
        parts = urlsplit(url)
        place = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        text = place.geturl()
    except ValueError:
        text = re.split("[?#]", url, maxsplit=1)[0]
    text = _PARAMETER.sub(f";{HIDDEN}", text)
    return shown(f"{text}?{HIDDEN}" if "?" in url else text, most)


def _occurrences(form: str, text: str) -> Iterator[Place]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)


def _without(text: str, places: Iterable[Place]) -> str:
    """The text with those parts hidden; where they overlap, all that they cover together."""
    pieces, shown_to = [], 0
    for start, end in sorted(places):
        if start >= shown_to:
            pieces += [text[shown_to:start], HIDDEN]
        shown_to = max(shown_to, end)
    return "".join([*pieces, text[shown_to:]])


def _unsigned(word: re.Match[str]) -> str:
    """Signatures are in queries, fragments and parameters; a path that merely has a mark stays."""
    text = word[0].rstrip(_AFTER_WORD)
    head, mark, rest = text.partition("?")
    if "://" in head:
        place, sharp, _ = head.partition("#")
        head, mark = (place, sharp) if sharp else (head, mark)
    elif "/" not in head or "=" not in rest:
        head, mark = text, ""
    url = "://" in head
    if url or _PATH.match(head):
        head = _PARAMETER.sub(lambda p: f";{HIDDEN}" if url or "=" in p[1] else p[0], head)
    return f"{head}{mark}{HIDDEN if mark else ''}{word[0][len(text) :]}"


def _of_environment() -> Iterator[str]:
    """The password of this run, and the logins of proxies, however malformed their addresses."""
    yield os.environ.get("WASMPACK_PASSWORD", "")
    for name in os.environ:
        if name.lower().endswith(_PROXY):
            value = os.environ.get(name, "")
            login, at, _ = value.rpartition("@")
            login = login if at else value
            login = login.partition("://")[2] or login
            hostless = name.lower() in _PROXIES_IN_USE and not _WITHOUT_LOGIN.fullmatch(login)
            if at or hostless:
                password = login.partition(":")[2]
                yield from (login, password, *_ENDS_LOGIN.split(password))


@lru_cache(maxsize=4 * _MOST)
def _forms(secret: str) -> frozenset[str]:
    return frozenset(_written(secret))


def _written(secret: str) -> Iterator[str]:
    """The ways in which libraries and servers write a secret."""
    import base64
    import json
    from urllib.parse import quote, quote_plus, unquote

    plain = unquote(secret)
    for text in {secret, plain}:
        yield text
        yield repr(text)[1:-1]
        yield json.dumps(text)[1:-1]
        for raw in _bytes(text):
            yield raw.decode("latin-1")  # as http.client reads headers
            for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw), quote(raw, _URL)):
                yield quoted
                yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
            for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
                yield encoded.decode().rstrip("=")


def _bytes(text: str) -> Iterator[bytes]:
    """In UTF-8, and in the encoding that requests and urllib3 write Basic logins in."""
    yield text.encode(errors="surrogatepass")
    with contextlib.suppress(UnicodeEncodeError):
        yield text.encode("latin-1")


def plain_text(text: str) -> str:
    """Untrusted text, with control characters escaped (``\\x1b``)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_text(data: bytes) -> bool:
    """True if a terminal shows it as it is."""
    text = data.decode(errors="replace")
    return "\ufffd" not in text and all(c.isprintable() or c in "\n\t" for c in text)


_listeners: list[Callable[[str], None]] = []


@contextlib.contextmanager
def listening(notice: Callable[[str], None]) -> Iterator[None]:
    """Pass on every note of this process, of all threads.

    >>> with listening(print):
    ...     note("read a.wasm: 12 bytes")
    read a.wasm: 12 bytes
    >>> note("nobody listens")
    """
    _listeners.append(notice)
    try:
        yield
    finally:
        _listeners.remove(notice)


def note(text: str) -> None:
    """Tell those who listen what is read, asked, cached or waited for.

    :param text: may hold names that others chose
    """
    for notice in _listeners:
        notice(plain_text(redacted(text)))
