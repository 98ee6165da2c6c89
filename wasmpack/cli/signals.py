"""Signals that end a command."""

import signal
import threading

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes that a shell reports for programs ended by SIGINT and SIGTERM (128 + number)."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP, as an exception: processes and files are cleaned up on its way."""


def clean_up_when_terminated() -> None:
    """Raise :exc:`Terminated` in the main thread on SIGTERM, and on SIGHUP except under nohup."""

    def end(_number: int, _frame: object) -> None:
        raise Terminated

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, end)
