"""Start or load in another process or thread what a command will need."""

import importlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

_WITHOUT_MODULES = {"config", "wasmplugin"}
"""Nouns of ``validate`` for other subjects than modules."""
REGISTRY = "wasmpack.stores.registry.repository"
"""Importing this loads the whole registry client."""
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


def preload(module: str) -> threading.Thread:
    """Import a module in a thread; an import of it elsewhere waits for that."""
    thread = threading.Thread(target=_import, args=(module,), daemon=True)
    thread.start()
    return thread


def load_registry() -> None:
    """Load what registries are reached with, in a thread that has an empty stack.

    CPython keeps stack frames in chunks of 16 KiB, and maps and unmaps one for each call over the
    end of another: thousands of times where a loop deep in a command's stack does it (3.11, when
    urllib3 compiles its patterns: 20 ms).
    """
    preload(REGISTRY).join()


def _import(module: str) -> None:
    with suppress(Exception):  # whoever imports it next gets it too
        importlib.import_module(module)
