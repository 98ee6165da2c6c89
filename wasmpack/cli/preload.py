"""Start or load in the background what a command will need."""

import contextlib
import importlib
import subprocess
import sys
import threading
from collections.abc import Sequence

from wasmpack.dry_run.spawn import spawn_worker
from wasmpack.errors import WasmpackError


class EarlyChild:
    """The process of the dry run, started before click and the command are loaded; or none."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        """Start it if it is ``build`` that will need it."""
        self._child: subprocess.Popen[bytes] | None = None
        command = next((word for word in arguments if word[:1] != "-"), "")
        if command == "build" and not {"--no-validate", "--help", "-h"} & set(arguments):
            with contextlib.suppress(WasmpackError):  # whoever needs it will say so
                self._child = spawn_worker()

    def take(self) -> "subprocess.Popen[bytes] | None":
        """The process, for whoever asks first; its owner ends it."""
        child, self._child = self._child, None
        return child

    def end(self) -> None:
        """End it if nobody asked for it."""
        child = self.take()
        if child is not None:
            child.kill()
            child.communicate()


def preload(module: str) -> None:
    """Import a module in a thread; whoever imports it next waits for that."""
    if module not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(module,), daemon=True).start()
