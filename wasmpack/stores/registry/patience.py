"""When to try again, how long to wait, and when to give up.

A try that failed in a way that may pass is a :class:`Transient`. Between tries there is a pause
that doubles, with jitter, or what ``Retry-After`` asks for. A piece of work gives up after
``retries`` failures in a row, or when silence and pauses come to :data:`BUDGET` seconds; what moved
bytes starts the count again. The time that bytes took to move is no waiting.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from wasmpack.errors import WasmpackError

T = TypeVar("T")

BUDGET = 30.0
"""Seconds of silence and pauses, in all, before an error is the last."""
AGAIN = frozenset({408, 429, 500, 502, 503, 504})
"""Status codes that may be gone the next time (RFC 9110 15.5.9, 15.6; RFC 6585 4)."""
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 8.0


class Transient(Exception):
    """A failure that may pass."""

    def __init__(self, error: WasmpackError, pause: float = 0.0, silence: float = 0.0) -> None:
        """What is known of it.

        :param pause: seconds that the registry asks to wait
        :param silence: seconds that were waited for it in vain
        """
        super().__init__(error.message)
        self.error = error
        self.pause = pause
        self.silence = silence


class Patience:
    """What is left of it, for one piece of work."""

    def __init__(
        self,
        retries: int,
        notice: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """:param notice: told of every new try."""
        self._retries = retries
        self._notice = notice
        self._sleep = sleep
        self._failures = 0
        self._spent = 0.0

    def progress(self) -> None:
        """Something moved: earlier failures no longer count."""
        self._failures = 0
        self._spent = 0.0

    def little_came(self, seconds: float, error: WasmpackError) -> None:
        """Count the wait for an answer with next to nothing in it as silence.

        :raises WasmpackError: this one, if there is no patience left
        """
        self._failures = 0
        self._spent += seconds
        if self._spent > BUDGET:
            raise error

    def through(self, attempt: Callable[[], T]) -> T:
        """Try until it works, or until there is no patience left.

        :raises WasmpackError: the last failure
        """
        while True:
            try:
                return attempt()
            except Transient as failure:
                self.wait(failure)

    def wait(self, failure: Transient) -> None:
        """Pause before the next try.

        :raises WasmpackError: the failure itself, if there is none
        """
        pause = max(failure.pause, self._pause())
        self._spent += failure.silence + pause
        if self._failures >= self._retries or self._spent > BUDGET:
            raise failure.error
        self._failures += 1
        again = f"try {self._failures + 1} of {self._retries + 1}"
        self._notice(f"{failure.error.message}; {again} in {pause:.1f} s")
        self._sleep(pause)

    def _pause(self) -> float:
        """Doubled each time, between half of it and all of it, so that clients do not march."""
        longest = min(_FIRST_PAUSE * float(1 << self._failures), _LONGEST_PAUSE)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
