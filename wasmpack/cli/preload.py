"""What a command will need, started or loaded while other things are done."""

import contextlib
import importlib
import subprocess
import sys
import threading
from collections.abc import Sequence

from wasmpack.dry_run.spawn import spawn_worker
from wasmpack.errors import WasmpackError

_early: "list[subprocess.Popen[bytes]]" = []


def start_early(arguments: Sequence[str]) -> None:
    """For ``build``, the process of the dry run: before click and the command are loaded."""
    command = next((word for word in arguments if word[:1] != "-"), "")
    if command == "build" and not {"--no-validate", "--help", "-h"} & set(arguments):
        with contextlib.suppress(WasmpackError):  # whoever needs it will say so
            _early.append(spawn_worker())


def early_child() -> "subprocess.Popen[bytes] | None":
    """The process that was started early, for whoever asks first; its owner ends it."""
    return _early.pop() if _early else None


def end_early_child() -> None:
    """If nobody asked for it."""
    child = early_child()
    if child is not None:
        child.kill()
        child.communicate()


def preload(module: str) -> None:
    """Import a module in a thread; whoever imports it next waits for that."""
    if module not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()
