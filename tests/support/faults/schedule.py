"""What a proxy is told to do, and to which requests."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong; the fields that are set say what."""

    refuse_for: float = 0.0
    """Seconds in which nobody listens; the connection is reset."""
    never_answer: bool = False
    status: int = 0
    """Answered instead of the registry."""
    headers: tuple[tuple[str, str], ...] = ()
    """With that status, or added to the registry's own answer."""
    read_body: bool = True
    """Read the request's body before answering with that status."""
    request_bytes: int | None = None
    """Bytes of the request's body that are read; then a reset, or a stall."""
    response_bytes: int | None = None
    """Bytes of the response's body that are sent; then a reset, a stall, or a clean end."""
    stall: bool = False
    cut: bool = False
    """The response is shorter, and its ``Content-Length`` agrees."""
    flip: bool = False
    """One bit of the response's body is another."""
    drip: float = 0.0
    """Seconds between bytes of the response's body."""
    wrong_digest: bool = False
    """Another ``Docker-Content-Digest`` than the registry's."""
    relative_location: bool = False
    elsewhere: bool = False
    """``Location`` points to the proxy's second host; a request with a body is sent there (307)."""
    blank_query: bool = False
    """The upload's address has a blank parameter, without which it is refused."""
    forget_login: bool = False
    """The registry does not see the credentials, as when a token has expired."""
    no_ranges: bool = False
    """A ``Range`` is not heard."""
    least_chunk: int = 0
    """Says so in ``OCI-Chunk-Min-Length``."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """A fault for the requests it is meant for, as often as it says."""

    fault: Fault
    method: str = ".*"
    path: str = ".*"
    skip: int = 0
    """Requests of the kind that are let through first."""
    times: int = 1
    """How often; -1 for ever."""

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is to suffer; counts it."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if not self.times:
            return False
        self.times -= self.times > 0
        return True
