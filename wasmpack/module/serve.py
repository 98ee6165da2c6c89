"""The child's side of :mod:`wasmpack.module.isolated`: validate, compile, start, answer."""

import json
import os
import sys
import threading
from dataclasses import asdict

COMPILES_TOO_LONG = 99
"""Exit status of a child that was still compiling."""


def serve() -> None:
    """The child's side."""
    import wasmtime  # noqa: F401 - while the other side is still reading

    from wasmpack.module.dry_run import compiled_plugin, dry_runs
    from wasmpack.module.engine import validity
    from wasmpack.module.run_result import RunRequest

    _no_core_dump()
    head = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read(head["size"])
    alarm = threading.Timer(head["compiling"], os._exit, (COMPILES_TOO_LONG,))
    alarm.daemon = True
    alarm.start()
    valid = validity(data)
    compiled = None if valid.error else compiled_plugin(data)
    alarm.cancel()
    asked = json.loads(sys.stdin.buffer.readline())
    requests = [RunRequest.from_json(value) for value in asked]
    found = [] if compiled is None else dry_runs(compiled, requests)
    answer = {"validity": asdict(valid), "runs": [run.as_json() for run in found]}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)  # taking wasmtime down takes longer than the run


def _no_core_dump() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
