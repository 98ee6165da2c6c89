"""How long the tests that try fresh inputs go on, and what their inputs are made of.

Each is short in a usual run, and every run has other inputs. ``make fuzz`` sets ``WASMPACK_FUZZ``
to try that many times as much; ``WASMPACK_FUZZ_SEED`` repeats the inputs of a run that failed.
"""

from __future__ import annotations

import os
import secrets

FACTOR = int(os.environ.get("WASMPACK_FUZZ") or 1)
SEED = int(os.environ.get("WASMPACK_FUZZ_SEED") or secrets.randbits(32))


def many(usual: int) -> int:
    """The number of inputs to try.

    :param usual: in a run that nobody asked to be long
    """
    return usual * FACTOR
