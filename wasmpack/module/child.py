"""Starting the process that dry runs happen in; as light as can be, so that it can be early.

See :mod:`wasmpack.module.isolated` for what it is asked, :mod:`wasmpack.module.serve` for how it
answers.
"""

import os
import subprocess
import sys

_CODE = "import sys; sys.path[:] = {path!r}; from wasmpack.module.serve import serve; serve()"


def start_child() -> "subprocess.Popen[bytes] | None":
    """A child that loads wasmtime while its parent does other things; None if there can be none."""
    code = _CODE.format(path=[os.path.abspath(entry) for entry in sys.path])  # noqa: PTH100
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code], stdin=pipe, stdout=pipe, stderr=pipe
        )
    except OSError:
        return None
