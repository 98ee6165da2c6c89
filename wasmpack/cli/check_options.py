"""Options of commands that validate or write images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.command import option
from wasmpack.cli.console import Console
from wasmpack.cli.options import ANY_NAME, exclude
from wasmpack.errors import WrongUsage
from wasmpack.files.outputs import check_named
from wasmpack.oci.place import STREAM

if TYPE_CHECKING:
    from wasmpack.actions.checks import Checks
    from wasmpack.dry_run.start_up import StartUp
    from wasmpack.images.writing import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """Input of a plugin at its start."""

    plugin_config: str | None = option(
        "Start the plugin with this configuration, verbatim.", metavar="FILE|JSON", type=ANY_NAME
    )
    vm_config: str | None = option(
        "Start its VM with this configuration, verbatim.", metavar="FILE|JSON", type=ANY_NAME
    )
    env: tuple[str, ...] = option("Start it with this variable (repeatable).", metavar="NAME=VALUE")
    root_ids: tuple[str, ...] = option(
        "Set the root id; build writes it into the image.", "--root-id", metavar="ID"
    )

    def start_up(self) -> StartUp:
        """Return the start-up that these options give."""
        from wasmpack.actions.inputs import different, parse_variable
        from wasmpack.dry_run.start_up import StartUp

        return StartUp(
            plugin_config=_given(self.plugin_config, "--plugin-config"),
            vm_config=_given(self.vm_config, "--vm-config"),
            env=tuple(different(map(parse_variable, self.env)).items()),
            root_id=self.root_ids[0] if self.root_ids else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions(StartOptions):
    """How modules and images are validated."""

    targets: tuple[str, ...] = option(
        "Validate for this release (repeatable), or 'all'. [default: those in support]",
        "--target",
        metavar="RELEASE",
    )
    strict: bool = option("Reject on warnings too.")
    no_dry_run: bool = option("Do not start the module.")
    dry_run_timeout: float | None = option(
        "Raise the dry run's budget of CPU time. [default: by size]",
        type=click.FloatRange(min=1, max=86400),
        metavar="SECONDS",
    )
    envoy: bool = option("Load it in a real Envoy, send a request (wasmpack[envoy]).")

    def checks(self) -> Checks:
        """Return the checks that these options select."""
        from wasmpack.actions.checks import Checks

        for name in ("plugin_config", "vm_config", "env", "dry_run_timeout"):
            given = getattr(self, name) not in (None, ())
            exclude(**{name: given, "no_dry_run": self.no_dry_run})
        start_up = replace(
            self.start_up(), dry_run=not self.no_dry_run, seconds=self.dry_run_timeout
        )
        return Checks(targets=self.targets, strict=self.strict, envoy=self.envoy, start_up=start_up)


def _given(text: str | None, option: str) -> bytes | None:
    from wasmpack.actions.inputs import read_given

    return None if text is None else read_given(text, option)


def check_result_file(file: Path) -> None:
    """:raises WrongUsage: it could not be written afterwards, or is standard output."""
    if str(file) == STREAM:
        raise WrongUsage(
            "- is standard output, where the result goes anyway", hint="/dev/stderr, or a file"
        )
    check_named(file)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """Files for what was written."""

    metadata_file: Path | None = option("Write the JSON result to this file.")
    digest_file: Path | None = option("Write the digest to this file.")

    def check(self) -> None:
        """:raises WrongUsage: one that could not be written afterwards, or that holds a module."""
        for file in filter(None, (self.metadata_file, self.digest_file)):
            check_result_file(file)
            if file.suffix in {".wasm", ".wat"}:
                raise WrongUsage(f"{file}: this would overwrite a module")

    def write(self, done: Written, console: Console) -> None:
        """Write those that were asked for."""
        if self.metadata_file is not None:
            console.with_json().save(self.metadata_file, done, ())
        if self.digest_file is not None:
            console.write(self.digest_file, f"{done.digest}\n")
