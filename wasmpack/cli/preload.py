"""Start or load in the background what a command will need."""

import importlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_WITHOUT_MODULES = {"config", "wasmplugin"}
"""Nouns of ``validate`` for other subjects than modules."""
_NO_DRY_RUN = {"--no-validate", "--help", "-h"}


@contextmanager
def early_dry_run(arguments: Sequence[str]) -> Iterator[None]:
    """Start the process of the dry run, before click and the command are loaded, if it is needed.

    :param arguments: the command line
    """
    if not _will_judge(arguments):
        yield
        return
    from wasmpack.dry_run.spawn import end_early, start_early

    start_early()
    try:
        yield
    finally:
        end_early()


def _will_judge(arguments: Sequence[str]) -> bool:
    command, noun = [*(word for word in arguments if word[:1] != "-"), "", ""][:2]
    judges = command == "build" or (command == "validate" and noun not in _WITHOUT_MODULES)
    return judges and not _NO_DRY_RUN.intersection(arguments)


def preload(module: str) -> None:
    """Import a module in a thread; whoever imports it next waits for that."""
    if module not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()
