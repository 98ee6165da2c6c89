"""The environment of the programs we start: an allow-list, so that no secret of ours reaches them.

>>> sorted(allowed_environment(source={"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x"}))
['PATH']
"""

import os
import sys
from collections.abc import Mapping

_ALLOWED = (
    "PATH", "TMPDIR", "LANG", "LC_ALL",
    "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE",
)  # fmt: skip
"""What any program may know; the last three measure subprocesses (coverage.py)."""


def allowed_environment(*more: str, source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that a foreign or sandboxed program gets.

    :param more: names that this program needs as well (``HOME`` for git)
    """
    return {name: source[name] for name in (*_ALLOWED, *more) if name in source}


def import_path() -> list[str]:
    """Where this process finds modules, for a Python that is started without any settings."""
    return [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100
