"""Tags and referrers, page by page (distribution-spec, "Listing Tags", "Listing Referrers").

A list ends, or it is an error: never a shorter one than the registry has. All its pages are one
piece of work: a registry that sends next to nothing, again and again, is as good as silent.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from wasmpack.errors import AccessRefused, BadArtifact, RegistryUnavailable
from wasmpack.oci.canonical import JsonValue, expect
from wasmpack.oci.descriptor import Descriptor
from wasmpack.stores.registry.errors import SMALL, Answer, Misdirected
from wasmpack.stores.registry.headers import next_link
from wasmpack.stores.registry.stall import SLOWEST
from wasmpack.stores.registry.transport import Transport

MOST_PAGES = 1000
MOST_BYTES = 64 * 1024 * 1024
"""Limit for all pages together."""
MOST_ROWS = 1_000_000


class NoListing(Exception):
    """The registry has no such list: another status or media type than asked for."""


class Listing:
    """One list of a registry, and what it may take."""

    def __init__(self, transport: Transport, what: str, key: str, *, accept: str = "") -> None:
        """Nothing is asked yet.

        :param what: what is tried, for errors
        :param key: of the rows in a page
        :param accept: the media type that a page must have; any if empty
        """
        self._transport = transport
        self._what = what
        self._key = key
        self._accept = accept
        self._bytes = self._rows = self._since_progress = 0
        self._retries = transport.retry_budget()

    def rows(self, url: str, expect: set[int], **more: Any) -> Iterator[JsonValue]:
        """All rows.

        :param more: as for :meth:`Transport.attempt`

        :raises NoListing: not this kind of list
        :raises RegistryUnavailable: pages that go round, do not end, or are not what they should be
        """
        seen: set[str] = set()
        more["headers"] = {"Accept": self._accept} if self._accept else {}
        while url:
            if url in seen or len(seen) >= MOST_PAGES:
                raise self._error(f"pages without end ({len(seen)} read)")
            seen.add(url)
            try:
                answer, seconds = self._retries.run(partial(self._asked, url, expect, more))
            except (AccessRefused, Misdirected) as refused:
                if len(seen) > 1 or not self._accept:
                    raise
                raise NoListing from refused
            if answer.status != 200 or self._accept not in {"", answer.media_type}:
                raise self._error("the next page is not one") if len(seen) > 1 else NoListing()
            rows = self._page(answer)
            yield from rows
            url = self._next(answer, url)
            if url:
                self._note(len(answer.body) if rows else 0, seconds)

    def _asked(self, url: str, expect: set[int], more: Mapping[str, Any]) -> tuple[Answer, float]:
        """A page, and how long it took to come."""
        since = time.monotonic()
        answer = self._transport.attempt("GET", url, self._what, expect, most=SMALL, **more)
        return answer, time.monotonic() - since

    def _note(self, size: int, seconds: float) -> None:
        """:raises RegistryUnavailable: too little has come in too long a time"""
        self._since_progress += size
        if self._since_progress >= SLOWEST:
            self._since_progress = 0
            self._retries.progress()
            return
        self._retries.spend(seconds, self._error("its pages come too slowly"))

    def text(self, row: JsonValue) -> str:
        """A row that must be a string."""
        with self._reported():
            return expect(row, str, self._key, "strings")

    def descriptor(self, row: JsonValue) -> Descriptor:
        """A row that must be a descriptor."""
        with self._reported():
            return Descriptor.parse(row, self._key)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """It is the registry that wrote it."""
        try:
            yield
        except BadArtifact as error:
            raise self._error(f"registry answered: {error.message}") from error

    def _page(self, answer: Answer) -> list[JsonValue]:
        if len(answer.body) > SMALL:
            raise self._error(f"registry answered with a page of more than {SMALL} bytes")
        value = answer.json()
        if not isinstance(value, dict):
            raise self._error("registry answered with no JSON object")
        if value.get(self._key) is None:  # some say null for an empty list
            return []
        with self._reported():
            rows = expect(value[self._key], list, self._key, "a list")
        self._bytes += len(answer.body)
        self._rows += len(rows)
        if self._bytes > MOST_BYTES or self._rows > MOST_ROWS:
            raise self._error(
                f"more than {MOST_BYTES} bytes or {MOST_ROWS} {self._key}: a list too long to read"
            )
        return rows

    def _next(self, answer: Answer, url: str) -> str:
        """The next page, on the registry itself: path and query are all a ``Link`` can say."""
        target = next_link(answer.headers.get("Link", ""))
        return self._transport.own(url, target) if target else ""

    def _error(self, reason: str) -> RegistryUnavailable:
        return RegistryUnavailable(f"cannot {self._what}: {reason}")
