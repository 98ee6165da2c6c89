"""The command line. This module imports click alone; a command's own file loads when it is run."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Entry point of ``wasmpack``: run a command and leave with the contract's exit code."""
    from wasmpack.cli.boundary import run

    sys.exit(run(sys.argv[1:]))
