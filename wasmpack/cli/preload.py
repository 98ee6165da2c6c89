"""Start or load in the background what a command will need."""

import importlib
import sys
import threading
from collections.abc import Sequence

from wasmpack.dry_run.spawn import start_early

_WITHOUT_MODULES = {"config", "wasmplugin"}
"""Nouns of ``validate`` for other subjects than modules."""
_NO_DRY_RUN = {"--no-validate", "--help", "-h"}


def preload_dry_run(arguments: Sequence[str]) -> None:
    """Start the process of the dry run, before click and the command are loaded, if it is needed.

    :param arguments: the command line
    """
    command, noun = [*(word for word in arguments if word[:1] != "-"), "", ""][:2]
    judges = command == "build" or (command == "validate" and noun not in _WITHOUT_MODULES)
    if judges and not _NO_DRY_RUN.intersection(arguments):
        start_early()


def preload(module: str) -> None:
    """Import a module in a thread; whoever imports it next waits for that."""
    if module not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()
