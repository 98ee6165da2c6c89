"""Notes of what is read, asked, cached and waited for: the command line shows them with ``-v``.

>>> with listening(print):
...     note("read a.wasm: 12 bytes")
read a.wasm: 12 bytes
>>> note("nobody listens")
"""

from collections.abc import Iterator
from contextlib import contextmanager

from wasmpack.errors import Notice

_listeners: list[Notice] = []


@contextmanager
def listening(notice: Notice) -> Iterator[None]:
    """Pass on every note of this process, of all threads."""
    _listeners.append(notice)
    try:
        yield
    finally:
        _listeners.remove(notice)


def note(text: str) -> None:
    """Tell those who listen; the text may hold names that others chose."""
    for notice in _listeners:
        notice(text)
