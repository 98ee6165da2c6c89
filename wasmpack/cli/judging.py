"""From the judging options of a command to what the actions take."""

from collections.abc import Sequence
from pathlib import Path

from wasmpack.errors import WrongUsage
from wasmpack.module_rules.check import StartUp


def start_up(
    plugin_config: Path | None,
    root_ids: Sequence[str],
    *,
    dry_run: bool = True,
    seconds: float | None = None,
) -> StartUp:
    """With what the dry run configures the plugin."""
    from wasmpack.actions.inputs import read_file

    if plugin_config is not None and not dry_run:
        raise WrongUsage("--plugin-config and --no-dry-run exclude each other")
    if seconds is not None and not dry_run:
        raise WrongUsage("--dry-run-timeout and --no-dry-run exclude each other")
    return StartUp(
        plugin_config=None if plugin_config is None else read_file(plugin_config),
        root_id=root_ids[0] if root_ids else "",
        dry_run=dry_run,
        seconds=seconds,
    )
