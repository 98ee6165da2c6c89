"""Several pieces of work at a time: a failure of one hides none of the others."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wasmpack.errors import WasmpackError

if TYPE_CHECKING:
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")
_IMAGES_AT_ONCE = 4
"""Images that move at the same time; each has several blobs on their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The error of a subject, in place of its result."""

    subject: str
    error: WasmpackError

    def as_json(self) -> dict[str, object]:
        """Its place among the results."""
        return {
            "schemaVersion": 1,
            "subject": self.subject,
            "error": self.error.message,
            "hint": self.error.hint,
            "exitCode": self.error.exit_code,
        }


def attempt(work: Callable[[Item], Result], item: Item, name: str) -> Result | Failure:
    """The result of the work, or the reason of its failure.

    :param name: of the item, for people
    """
    try:
        return work(item)
    except WasmpackError as error:
        return Failure(subject=name, error=error)


def in_order(
    items: Iterable[Item], work: Callable[[Item], Result], *, jobs: int | None = None
) -> Iterator[Result]:
    """Do the work in several threads; items are taken as they are needed, and none is kept.

    :param jobs: how many at a time; by default two for each core, since a thread waits for its
        process most of the time
    """
    jobs = jobs or 2 * (os.cpu_count() or 1)
    if jobs == 1:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    running: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > jobs:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def images_in_order(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    name: Callable[[Item], str],
) -> Iterator[Result | Failure]:
    """As :func:`in_order`, for work that moves images and may fail.

    :param name: of an item, for people
    """
    return in_order(items, lambda item: attempt(work, item, name(item)), jobs=_IMAGES_AT_ONCE)
