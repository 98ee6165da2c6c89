"""Starting the process that dry runs happen in; as light as can be, so that it can be early.

See :mod:`wasmpack.dry_run.sandbox` for what it is asked, :mod:`wasmpack.dry_run.worker` for how it
answers.
"""

import os
import subprocess
import sys

from wasmpack.errors import WasmpackError
from wasmpack.processes import allowed_environment, import_path

_CODE = (
    "import sys; sys.path[:] = {path!r}; "
    "from wasmpack.dry_run import worker; worker.{entry}({parent})"
)


def start_child(entry: str = "serve") -> "subprocess.Popen[bytes]":
    """A child that loads wasmtime while its parent does other things.

    :param entry: what it serves (a function of :mod:`wasmpack.dry_run.worker`)
    :raises WasmpackError: there can be none
    """
    code = _CODE.format(path=import_path(), entry=entry, parent=os.getpid())
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code],
            stdin=pipe, stdout=pipe, stderr=pipe, env=allowed_environment(),
        )  # fmt: skip
    except OSError as error:
        raise WasmpackError(
            f"no process for the dry run can be started: {error.strerror}",
            hint="wasmpack looks at modules in a process of its own: is their number limited?",
        ) from error
