"""Confinement of the programs we start: few variables, bounded CPU time, and no life after ours.

Imported first in every child, so it imports next to nothing.
"""

import os
import signal
import sys
from collections.abc import Mapping

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Let the kernel end this process together with the thread that started it (Linux).

    :param parent: its process id: it may be gone already
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit_self(cpu: float | None) -> None:
    """Disable core dumps, and let the kernel end this process if nobody else does in time.

    :param cpu: seconds of CPU time; None for no limit
    """
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if cpu is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = int(cpu) + 1
        if hard == resource.RLIM_INFINITY or soft < hard:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


_LAUNCH = (
    "import os, sys; sys.path[:] = {path!r}; "
    "from wasmpack.confinement import end_with_parent, limit_self; "
    "end_with_parent({parent}); limit_self({cpu!r}); os.execv(sys.argv[1], sys.argv[1:])"
)


def confined(command: list[str], cpu: float | None = None) -> list[str]:
    """The command line of a program that does not outlive us, with a limit on CPU time.

    :param command: the program's absolute path and its arguments
    """
    code = _LAUNCH.format(path=import_path(), parent=os.getpid(), cpu=cpu)
    return [sys.executable, "-I", "-S", "-c", code, *command]


_COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE")
"""With these, coverage.py measures subprocesses."""
_ALLOWED = ("PATH", "TMPDIR", "LANG", "LC_ALL", *_COVERAGE)
"""Variables that any program gets."""


def allowed_environment(*more: str, source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that a foreign or sandboxed program gets.

    :param more: names that this program needs as well (``HOME`` for git)
    """
    return {name: source[name] for name in (*_ALLOWED, *more) if name in source}


def import_path() -> list[str]:
    """The module search path, for a Python that is started without any settings."""
    return [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100
