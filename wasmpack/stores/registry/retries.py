"""When to try again, how long to wait, and when to give up.

An attempt that failed in a way that may pass is a :class:`Transient`. Between attempts there is a
wait that doubles, with jitter, or as long as ``Retry-After`` asks for. A piece of work gives up
after so many attempts in a row, or when silence and waits come to :data:`TIMEOUT` seconds; what
moved bytes starts the count again. The time that bytes took to move does not count.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from wasmpack.errors import WasmpackError

T = TypeVar("T")

TIMEOUT = 30.0
"""Seconds of silence and waits, in all, before an error is the last."""
TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
"""Status codes that may be gone the next time (RFC 9110 15.5.9, 15.6; RFC 6585 4)."""
_WAIT_INITIAL = 0.25
_WAIT_MAX = 8.0


class Transient(Exception):
    """A failure that may pass."""

    def __init__(self, error: WasmpackError, wait: float = 0.0, silence: float = 0.0) -> None:
        """Keep what the next attempt depends on.

        :param wait: seconds that the registry asks to wait
        :param silence: seconds that were waited for it in vain
        """
        super().__init__(error.message)
        self.error = error
        self.wait = wait
        self.silence = silence


class RetryBudget:
    """The attempts and the time that are left for one piece of work."""

    def __init__(
        self,
        attempts: int,
        notice: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """:param notice: told of every new attempt."""
        self._attempts = attempts
        self._notice = notice
        self._sleep = sleep
        self._failures = 0
        self._spent = 0.0

    def progress(self) -> None:
        """Something moved: earlier failures no longer count."""
        self._failures = 0
        self._spent = 0.0

    def spend(self, seconds: float, error: WasmpackError) -> None:
        """Count the wait for an answer with next to nothing in it as silence.

        :raises WasmpackError: this one, if the time is spent
        """
        self._failures = 0
        self._spent += seconds
        if self._spent > TIMEOUT:
            raise error

    def run(self, attempt: Callable[[], T]) -> T:
        """Try until it works, or until the budget is spent.

        :raises WasmpackError: the last failure
        """
        while True:
            try:
                return attempt()
            except Transient as failure:
                self.wait(failure)

    def wait(self, failure: Transient) -> None:
        """Pause before the next attempt.

        :raises WasmpackError: the failure itself, if there is none
        """
        wait = max(failure.wait, self._backoff())
        self._spent += failure.silence + wait
        self._failures += 1
        if self._failures >= self._attempts or self._spent > TIMEOUT:
            raise failure.error
        again = f"try {self._failures + 1} of {self._attempts}"
        self._notice(f"{failure.error.message}; {again} in {wait:.1f} s")
        self._sleep(wait)

    def _backoff(self) -> float:
        """Doubled each time, between half of it and all of it, so that clients do not march."""
        longest = min(_WAIT_INITIAL * float(1 << self._failures), _WAIT_MAX)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
