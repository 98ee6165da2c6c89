"""``wasmpack config``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.cli.command import command
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.main import find_project
from wasmpack.redaction import plain_text, redacted

if TYPE_CHECKING:
    from wasmpack.cli.project import Project

_VARIABLES = {
    "targets": "WASMPACK_TARGET",
    "annotations": "WASMPACK_ANNOTATION",
    "plugin-config": "WASMPACK_PLUGIN_CONFIG",
    "vm-config": "WASMPACK_VM_CONFIG",
}
"""Variables that win over the settings of a project file."""
_SECRET = {"WASMPACK_PASSWORD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting that holds here."""

    key: str
    value: object
    source: str
    """The file or the variable that says so, or ``default``."""

    def as_json(self) -> dict[str, object]:
        """One row of ``config --format json``."""
        return {"key": self.key, "value": self.value, "source": self.source}

    @property
    def text(self) -> str:
        """The value for people."""
        if isinstance(self.value, dict):
            return ", ".join(f"{key}={value}" for key, value in self.value.items())
        if isinstance(self.value, list):
            return ", ".join(map(str, self.value))
        return "-" if self.value is None else str(self.value)


@command(examples=["wasmpack config", "wasmpack config --format json"])
@format_option
def config(console: Console) -> None:
    """Show the settings that hold here, and where they come from.

    A project file is wasmpack.toml, or [tool.wasmpack] in pyproject.toml, in the working directory
    or above it in the same repository. It can set targets, annotations, plugin-config, vm-config
    (files of the repository), registry and tag (for names without them). Variables win over it, and
    the command line over both.
    """
    from wasmpack.text import table

    file, rows = _settings()
    facts = Facts(file=file and str(file), settings=[row.as_json() for row in rows])
    cells = [(row.key, plain_text(redacted(row.text)), plain_text(row.source)) for row in rows]
    head = ("SETTING", "VALUE", "FROM")
    console.show(facts, table(cells, console.out_style, head=head, widest=40))
    if file is None:
        console.remark("no wasmpack.toml here")


def _settings() -> tuple[Path | None, list[Setting]]:
    from wasmpack.cli.project import SETTINGS, read_project

    found = find_project(Path.cwd())
    project = read_project(*found) if found else None
    rows = [_setting(key, project) for key in SETTINGS]
    return (project.file if project else None), [*rows, *_places(), *_variables()]


def _setting(key: str, project: Project | None) -> Setting:
    variable = _VARIABLES.get(key, "")
    if given := os.environ.get(variable):
        return Setting(key=key, value=given, source=variable)
    if project is not None and key in project.settings:
        value = project.settings[key]
        shown = str(value) if isinstance(value, Path) else value
        return Setting(key=key, value=shown, source=os.path.relpath(project.file))
    if key == "targets":
        from wasmpack.targets import default_targets

        names = [target.name for target in default_targets()]
        return Setting(key=key, value=names, source="default")
    value = {"registry": "docker.io/library", "tag": "latest"}.get(key)
    return Setting(key=key, value=value, source="default")


def _places() -> Iterator[Setting]:
    from wasmpack.dry_run.code_cache import cache_path
    from wasmpack.stores.local import store_path

    for key, path, variable in (
        ("store", store_path(), "WASMPACK_STORE"),
        ("cache", cache_path(), "WASMPACK_CACHE"),
    ):
        source = variable if variable in os.environ else "default"
        yield Setting(key=key, value=path and str(path), source=source)


def _variables() -> Iterator[Setting]:
    """Other variables of ours; a password is not repeated."""
    known = {*_VARIABLES.values(), "WASMPACK_STORE", "WASMPACK_CACHE"}
    for name in sorted(os.environ):
        if name.startswith("WASMPACK_") and name not in known:
            value = "…" if name in _SECRET else os.environ[name]
            option = name.removeprefix("WASMPACK_").lower().replace("_", "-")
            yield Setting(key=option, value=value, source=name)
