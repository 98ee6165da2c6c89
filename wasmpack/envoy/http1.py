"""HTTP/1.1 messages on a socket, with their trailers (RFC 9112); bounded, for tests on loopback.

:mod:`http.client` and :mod:`http.server` drop trailers, which plugins read and write.
"""

import re
from typing import IO

from wasmpack.envoy.messages import Headers, Message, Request, Response, joined

MOST_BYTES = 16 << 20
"""Bytes of a body."""
_MOST_LINE = 64 << 10
_MOST_HEADERS = 1000
_FRAMING = {"content-length", "transfer-encoding"}
_BODILESS = {204, 304}
"""Statuses of responses that have no body (RFC 9110, 15)."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: .*)?")
_REQUEST = re.compile(rb"([!-~]+) ([!-~\x80-\xff]+) HTTP/1\.[01]")


class BadMessage(ConnectionError):
    """Bytes that are not an HTTP/1.1 message, or the end of the connection within one."""


def read_request(stream: IO[bytes]) -> Request | None:
    """The next request of a connection; None at its end.

    :raises BadMessage: something else
    """
    line = stream.readline(_MOST_LINE)
    if not line:
        return None
    found = _REQUEST.fullmatch(line.rstrip(b"\r\n"))
    if found is None:
        raise BadMessage("not a request line")
    headers = _read_headers(stream)
    body, trailers = _read_body(stream, headers, until_end=False)
    method, path = (part.decode("latin-1") for part in found.groups())
    return Request(method=method, path=path, headers=headers, body=body, trailers=trailers)


def read_response(stream: IO[bytes], method: str = "GET") -> Response:
    """The response to a request with this method; interim ones (1xx) are skipped.

    :raises BadMessage: something else, or nothing
    """
    status, headers = 100, Headers()
    while status < 200:
        line = stream.readline(_MOST_LINE)
        found = _STATUS.fullmatch(line.rstrip(b"\r\n"))
        if found is None:
            raise BadMessage("no status line" if line else "closed without a response")
        status, headers = int(found[1]), _read_headers(stream)
    if method == "HEAD" or status in _BODILESS:
        return Response(status=status, headers=headers)
    body, trailers = _read_body(stream, headers, until_end=True)
    return Response(status=status, headers=headers, body=body, trailers=trailers)


def request_bytes(request: Request) -> bytes:
    """The request as it is sent; the length or the chunks of the body are added."""
    return _message(f"{request.method} {request.path} HTTP/1.1", request, empty=False)


def response_bytes(response: Response) -> bytes:
    """The response as it is sent; the length or the chunks of the body are added."""
    empty = response.status not in _BODILESS
    return _message(f"HTTP/1.1 {response.status} -", response, empty=empty)


def _message(start: str, message: Message, *, empty: bool) -> bytes:
    """:param empty: an empty body has a length too"""
    headers = [pair for pair in message.headers if pair[0].lower() not in _FRAMING]
    body = message.body
    if message.trailers:
        names = ", ".join(name for name, _ in message.trailers)
        headers += [("transfer-encoding", "chunked"), ("trailer", names)]
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        body = chunk + b"0\r\n" + _lines(message.trailers) + b"\r\n"
    elif body or empty:
        length = joined(message.headers, "content-length") if not body else None
        headers.append(("content-length", length or str(len(body))))
    return start.encode("latin-1") + b"\r\n" + _lines(headers) + b"\r\n" + body


def _lines(headers: Headers | list[tuple[str, str]]) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in headers)


def _read_headers(stream: IO[bytes]) -> Headers:
    """Headers or trailers, up to the empty line."""
    found: list[tuple[str, str]] = []
    while True:
        line = stream.readline(_MOST_LINE)
        if not line.endswith(b"\n") or len(found) > _MOST_HEADERS:
            raise BadMessage("the connection ended within the headers, or they are too long")
        text = line.rstrip(b"\r\n").decode(errors="replace")
        if not text:
            return tuple(found)
        name, _, value = text.partition(":")
        found.append((name, value.strip(" \t")))


def _read_body(stream: IO[bytes], headers: Headers, *, until_end: bool) -> tuple[bytes, Headers]:
    """The body and the trailers.

    :param until_end: a message without a length ends with the connection
    """
    if (joined(headers, "transfer-encoding") or "").lower().endswith("chunked"):
        return _read_chunks(stream)
    length = joined(headers, "content-length")
    if length is None:
        return (_bounded(stream.read(MOST_BYTES + 1)), ()) if until_end else (b"", ())
    return _read_exactly(stream, _number(length, 10)), ()


def _read_chunks(stream: IO[bytes]) -> tuple[bytes, Headers]:
    body = bytearray()
    while size := _number(stream.readline(_MOST_LINE).partition(b";")[0].decode("latin-1"), 16):
        body += _read_exactly(stream, size)
        stream.readline(_MOST_LINE)
        _bounded(body)
    return bytes(body), _read_headers(stream)


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    if size > MOST_BYTES:
        raise BadMessage(f"a body of more than {MOST_BYTES} bytes")
    data = stream.read(size)
    if len(data) < size:
        raise BadMessage("the connection ended within the body")
    return data


def _bounded(body: bytes | bytearray) -> bytes:
    if len(body) > MOST_BYTES:
        raise BadMessage(f"a body of more than {MOST_BYTES} bytes")
    return bytes(body)


def _number(text: str, base: int) -> int:
    try:
        number = int(text.strip(), base)
    except ValueError:
        number = -1
    if number < 0:
        raise BadMessage("invalid length of a body")
    return number
