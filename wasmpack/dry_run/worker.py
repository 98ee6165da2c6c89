"""The worker's side of :mod:`wasmpack.dry_run.sandbox`: validate, compile, start, answer."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from wasmpack.confinement import end_with_parent, limit_self


def load() -> None:
    """Import what a run needs, while nothing is to do yet."""
    import wasmtime  # noqa: F401

    from wasmpack.dry_run import engine, result, runs  # noqa: F401


def run(parent: int) -> None:
    """Validate and compile a module, then start it once for each request."""
    end_with_parent(parent)
    load()
    from wasmpack.dry_run.engine import validity
    from wasmpack.dry_run.result import RunRequest
    from wasmpack.dry_run.runs import compiled_plugin, dry_runs

    head = _line()
    limit_self(head["cpu"])
    data = sys.stdin.buffer.read(head["size"])
    valid = validity(data)
    _say({"validity": asdict(valid)})
    if valid.error or not head["compile"]:
        _leave()
    compiled = compiled_plugin(data, Path(head["cache"]) if head["cache"] else None)
    _say({"compiled": True})
    question = _line()
    requests = [RunRequest.from_json(value) for value in question["requests"]]
    for seen in dry_runs(compiled, requests, question["seconds"], notice=_say):
        _say({"run": asdict(seen)})
    _leave()


def assemble(parent: int) -> None:
    """Compile WebAssembly text; the answer is a line, followed by the module on success."""
    end_with_parent(parent)
    from wasmpack.dry_run.engine import text_to_binary
    from wasmpack.errors import BadArtifact

    head = _line()
    limit_self(head["cpu"])
    try:
        binary = text_to_binary(sys.stdin.buffer.read(head["size"]), head["name"])
    except BadArtifact as error:
        _say({"refused": error.message})
    else:
        _say({"size": len(binary)})
        sys.stdout.buffer.write(binary)
    _leave()


def _line() -> Mapping[str, Any]:
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(0)  # the parent is gone
    found: Mapping[str, Any] = json.loads(line)
    return found


def _say(message: Mapping[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()


def _leave() -> NoReturn:
    """Exit at once: tearing wasmtime down takes longer than the run."""
    sys.stdout.flush()
    os._exit(0)
