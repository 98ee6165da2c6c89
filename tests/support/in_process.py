"""Commands without a process of their own: for tests of what is printed, by the hundred."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from agreement.verdict import InThisProcess

from wasmpack.dry_run.sandbox import Sandbox


@contextmanager
def in_this_process() -> Iterator[None]:
    """Let ``main.run`` be called here, dry runs and all; afterwards nothing is left of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warnings, "showwarning", warnings.showwarning)
        patch.setattr(Sandbox, "__init__", lambda _self, _started=None: None)
        patch.setattr(Sandbox, "__exit__", InThisProcess.__exit__)
        patch.setattr(Sandbox, "feed", lambda *_, **__: None)
        patch.setattr(Sandbox, "run", InThisProcess.run)
        yield
