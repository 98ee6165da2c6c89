"""Generate documents from the code: references of CLI and API, targets, findings, the stub.

python docs/generate.py            # write them
python docs/generate.py --check    # exit 1 and name those that are stale
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from api_page import api_page, stub

from wasmpack.actions.explain import all_rules
from wasmpack.cli.root import cli
from wasmpack.cli.topics import TOPICS, topic_text
from wasmpack.findings import Rule
from wasmpack.proxy_abi.abi import wasi_functions
from wasmpack.targets import IBM_NOTE, Target, all_targets, target

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
NOTE = "<!-- Written by docs/generate.py from the code; change the code instead. -->\n"


def cli_reference() -> str:
    """Help texts of all commands, in the order of ``wasmpack --help``."""
    lines = [NOTE, "# Command line reference\n"]
    for path, command in commands("wasmpack", cli):
        with click.Context(
            command, info_name=path, max_content_width=90, help_option_names=["-h", "--help"]
        ) as context:
            context.terminal_width = 90
            lines += [f"## `{path}`\n", "```text", command.get_help(context), "```\n"]
    with click.Context(cli, info_name="wasmpack", terminal_width=90) as context:
        for name in TOPICS:
            text = topic_text(name, context)
            lines += [f"## `wasmpack help {name}`\n", "```text", text, "```\n"]
    return "\n".join(lines)


def commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """The command and all below it, with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, name
            yield from commands(f"{path} {name}", found)


def targets_table() -> str:
    """The facts about each release, and how certain they are."""
    rows = [
        "| target | default | ships | host | WASI functions | images | realm guard | evidence |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in all_targets():
        evidence = ", ".join(f"{fact}: {kind}" for fact, kind in row.evidence)
        default = "default" if row.default else ""
        wasi = len(wasi_functions(row.host))
        rows.append(
            f"| {row.name} | {default} | {row.ships} | {row.host} | {wasi} | {row.image_summary} "
            f"| {guard_since(row)} | {evidence} |"
        )
    text = (HERE / "targets.template.md").read_text()
    return f"{NOTE}\n{text}".replace("TABLE", "\n".join(rows)).replace("IBM", f"{IBM_NOTE}.")


def guard_since(row: Target) -> str:
    """The first patch release that has the realm guard."""
    if not row.realm_guard:
        return ""
    patches = range(100) if row.consumer == "istio" else ()
    first = next((n for n in patches if target(f"{row.name}.{n}").realm_guard), 0)
    return f"since {row.name.rpartition('-')[2]}.{first}" if first else "yes"


def findings_tables() -> str:
    """Every rule, in the places that the prose names by the beginnings of codes."""
    lines = [NOTE]
    for line in (HERE / "findings.template.md").read_text().splitlines():
        families = line.removeprefix("RULES ").split() if line.startswith("RULES ") else []
        rules = [rule for rule in all_rules() if rule.code[:3] in families]
        lines += rules_table(rules) if families else [line]
    return "\n".join(lines) + "\n"


def rules_table(rules: list[Rule]) -> Iterator[str]:
    """One row a rule; the consumer only where there are several."""
    consumers = any(rule.consumer for rule in rules)
    heads = ["code", "severity", "cause", *(["consumer"] if consumers else []), "example", "fix"]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for rule in rules:
        severity = ", ".join(filter(None, (rule.severity.value, rule.otherwise)))
        cause = ": ".join(filter(None, (rule.title, rule.cause)))
        cells = [
            f'<a id="{rule.code}"></a>{rule.code}',
            severity,
            cause,
            *([rule.consumer] if consumers else []),
            "<br>".join(f"`{line.strip()}`" for line in rule.example.splitlines()),
            rule.fix,
        ]
        yield f"| {' | '.join(cells)} |"


def main() -> int:
    """Write or compare; the exit code."""
    documents = {
        "docs/api.md": f"{NOTE}\n{api_page()}",
        "docs/cli.md": cli_reference(),
        "docs/targets.md": targets_table(),
        "docs/findings.md": findings_tables(),
        "docs/request-test.schema.json": read(TOP / "wasmpack/schemas/request-test.schema.json"),
        "wasmpack/__init__.pyi": stub(),
    }
    stale = [name for name, text in documents.items() if read(TOP / name) != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"{name} is stale: make docs")
        return bool(stale)
    for name in stale:
        (TOP / name).write_text(documents[name])
    return 0


def read(path: Path) -> str:
    """The file as it is, or nothing."""
    return path.read_text() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
