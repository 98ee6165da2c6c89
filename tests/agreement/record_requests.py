"""Asks Envoys about host calls during requests, and keeps digests of what they answered.

    python tests/agreement/record_requests.py ENVOY [ENVOY …]

It takes half an hour for each; the wheels are those of ``record.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agreement.request_answers import digest, probes, their_answers
from wasmpack.envoy import envoy_version

ANSWERS = Path(__file__).with_name("request_answers.json")


def recorded() -> dict[str, dict[str, str]]:
    """version -> key of a probe -> digest of its answers."""
    if not ANSWERS.is_file():
        return {}
    found: dict[str, dict[str, str]] = json.loads(ANSWERS.read_text())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("envoys", nargs="+", type=Path, metavar="ENVOY")
    options = parser.parse_args()
    table = recorded()
    asked = probes()
    for binary in options.envoys:
        found = their_answers(binary.absolute(), asked)
        rows = {probe.key: digest(row) for probe, row in zip(asked, found, strict=True)}
        table[envoy_version(binary)] = rows
        ANSWERS.write_text(json.dumps(table, indent=0, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
