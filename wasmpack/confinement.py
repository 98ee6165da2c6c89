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


def limit_self(cpu: float | None, file_size: int | None = None) -> None:
    """Disable core dumps, and let the kernel end this process if nobody else does in time.

    :param cpu: seconds of CPU time; None for no limit
    :param file_size: bytes of any file that it writes; None for no limit
    """
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if file_size is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
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


def keep(directory: str, command: list[str], file_size: int) -> None:
    """Run a program for the parent at the other end of standard input; end as the program ended.

    Its first byte starts the program. At its end, however the parent ended, the program is killed
    and the directory removed.

    :param directory: absolute path of the program's own directory
    """
    import select
    import shutil

    gone, inherited = os.pipe()
    child = _forked(command, inherited, file_size) if os.read(0, 1) else 0
    os.close(inherited)
    if child and gone in select.select([0, gone], [], [])[0]:
        _end_likewise(os.waitpid(child, 0)[1])
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    shutil.rmtree(directory, ignore_errors=True)


def _forked(command: list[str], inherited: int, file_size: int) -> int:
    """The process id of the program, which holds an end of a pipe for as long as it lives."""
    parent = os.getpid()
    child = os.fork()
    if not child:
        end_with_parent(parent)
        limit_self(None, file_size)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.set_inheritable(inherited, True)
        os.execv(command[0], command)  # noqa: S606 - there is a shell nowhere
    return child


def _end_likewise(status: int) -> None:
    if os.WIFSIGNALED(status):
        limit_self(None)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


_KEEP = (
    "import sys; sys.path[:] = {path!r}; from wasmpack.confinement import keep; "
    "keep({directory!r}, sys.argv[1:], {file_size!r})"
)


def kept(command: list[str], directory: str, file_size: int) -> list[str]:
    """The command line of a program that lives as long as the pipe on its standard input.

    Start it in a separate session: signals from the terminal are for us.

    :param command: the program's absolute path and its arguments
    :param directory: absolute path of what is removed if we end without doing so
    :param file_size: bytes of any file that the program writes
    """
    code = _KEEP.format(path=import_path(), directory=directory, file_size=file_size)
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
