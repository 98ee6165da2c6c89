"""``wasmpack validate``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import CheckOptions
from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console
from wasmpack.cli.options import (
    PLACE,
    at_registry,
    by_project,
    completed_place,
    exclude,
    registry_options,
)
from wasmpack.cli.report import show_report, show_reports
from wasmpack.cli.root import NounGroup
from wasmpack.cli.shapes import report_format_option
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.checks import Checks, ImageScope
    from wasmpack.actions.subjects import Subject
    from wasmpack.actions.validate_subjects import SubjectValidator


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectOptions(CheckOptions):
    """How several subjects are validated."""

    jobs: int | None = option(
        "Validate so many at a time. [default: two per core]",
        "-j",
        type=click.IntRange(min=1),
        metavar="N",
    )
    no_image: bool = option(
        "Validate resources alone, without their images.", section=Section.IMAGE
    )
    remote: bool = option(
        "Read from registries only, not from the local store.", section=Section.IMAGE
    )

    @property
    def scope(self) -> ImageScope:
        """:raises WrongUsage: options that exclude each other."""
        from wasmpack.actions.checks import ImageScope

        exclude(no_image=self.no_image, remote=self.remote)
        exclude(no_image=self.no_image, envoy=self.envoy)
        return ImageScope(read=not self.no_image, remote=self.remote)

    def resource_checks(self) -> Checks:
        """The same for resources, whose own configuration wins over that of the project file."""
        checks = self.checks()
        given = checks.start_up
        start_up = replace(
            given,
            plugin_config=None if by_project("plugin_config") else given.plugin_config,
            vm_config=None if by_project("vm_config") else given.vm_config,
        )
        return replace(checks, start_up=start_up)

    def validator(self, session: Session | None = None) -> SubjectValidator:
        """Return the validator for all subjects."""
        from wasmpack.actions.validate_subjects import SubjectValidator

        return SubjectValidator(
            checks=self.checks(),
            resource_checks=self.resource_checks(),
            session=session or Session(),
            images=self.scope,
        )

    def show(
        self,
        names: Sequence[str],
        find: Callable[[str], Subject],
        console: Console,
        session: Session | None = None,
    ) -> int:
        """Validate each and show the reports; return the exit code.

        :param find: the subject of a name
        """
        from wasmpack.actions.validate_subjects import validate_subjects

        jobs = 1 if len(names) == 1 else self.jobs
        reports = validate_subjects(names, find, self.validator(session), jobs=jobs)
        return show_reports(reports, len(names), console)


_OF_MODULES = (
    "targets plugin_config vm_config env root_ids strict no_dry_run dry_run_timeout envoy jobs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOptions(SubjectOptions):
    """Subjects of any kind."""

    subjects: tuple[str, ...] = argument(metavar="SUBJECT...", nargs=-1, required=True)

    def recognized(self, console: Console) -> Callable[[str], Subject]:
        """Return a function that recognizes the kind of a name and reports it."""
        from wasmpack.actions.subjects import recognize

        def find(name: str) -> Subject:
            subject = recognize(name, remote=self.remote, completed=completed_place)
            console.notice(f"{subject.name}: {subject.what}")
            return subject

        return find


@click.group(cls=NounGroup)
def validate() -> None:
    """Validate modules, configurations, images or resources."""


@validate.takes_any
@command(
    examples=[
        "wasmpack validate filter.wasm plugin.yaml quay.io/me/plugin:v1",
        "wasmpack validate filter.wasm --target istio-1.29 --plugin-config config.json",
    ]
)
@grouped("given", AnyOptions, section=Section.CHECKS)
@report_format_option
@registry_options
def validate_any(given: AnyOptions, console: Console, session: Session) -> int:
    """Check whether a mesh would load each SUBJECT.

    If not, the report says why and what to do. SUBJECT is a module, a runtime configuration, a file
    or directory of WasmPlugins, an image anywhere, or - for standard input: what it is, is found
    out and shown. Name the kind to have it read as that. Exit code 3 if one is rejected.
    """
    return given.show(given.subjects, given.recognized(console), console, session)


@validate.command("module", examples=["wasmpack validate module filter.wasm --target ossm-2.6"])
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@grouped("given", SubjectOptions, only=_OF_MODULES, section=Section.CHECKS)
@report_format_option
def validate_module(files: tuple[str, ...], given: SubjectOptions, console: Console) -> int:
    """Validate modules: exports, imports and start-up."""
    from wasmpack.actions.subjects import SubjectKind, subject_of

    return given.show(files, subject_of(SubjectKind.MODULE), console)


@validate.command("config", examples=["wasmpack validate config runtime-config.json"])
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@grouped("given", SubjectOptions, only="strict", section=Section.CHECKS)
@click.option("--target", "targets", multiple=True, hidden=True, help="Accepted without effect.")
@report_format_option
def validate_config(
    files: tuple[str, ...], given: SubjectOptions, targets: tuple[str, ...], console: Console
) -> int:
    """Validate a runtime-config.json: every fault with its place.

    It is for other tools and for people: no mesh reads it, so it has no targets.
    """
    from wasmpack.actions.subjects import SubjectKind, subject_of

    if targets:
        console.status("no mesh reads this file: --target changes nothing")
    return given.show(files, subject_of(SubjectKind.CONFIG), console)


@validate.command("image", examples=["wasmpack validate image quay.io/me/plugin:v1"])
@click.argument("images", metavar="IMAGE...", type=PLACE, nargs=-1, required=True)
@grouped("given", SubjectOptions, only=f"remote {_OF_MODULES}", section=Section.CHECKS)
@report_format_option
@registry_options
def validate_image(
    images: tuple[Place, ...], given: SubjectOptions, console: Console, session: Session
) -> int:
    """Validate images: how targets fetch them, and the module."""
    from wasmpack.actions.subjects import image_subject

    places = [at_registry(place) if given.remote else place for place in images]
    subjects = {str(place): image_subject(place) for place in places}
    return given.show([*map(str, places)], subjects.__getitem__, console, session)


@validate.command(
    "wasmplugin", examples=["wasmpack validate wasmplugin plugin.yaml --target ossm-2.6"]
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@grouped(
    "given",
    SubjectOptions,
    only=f"{_OF_MODULES.removesuffix(' jobs')} no_image remote",
    section=Section.CHECKS,
)
@report_format_option
@registry_options
def validate_wasmplugin(
    files: tuple[str, ...], given: SubjectOptions, console: Console, session: Session
) -> int:
    """Validate WasmPlugin resources and the images they point at.

    The API's schema and rules by release; how the mesh reads the URL; whether the digest can match;
    what pull policy, priority and direction really do; the pull secret, if its Secret is among the
    files; and the module itself, started with the plugin's own configuration and root id unless
    others are given. FILE is YAML or JSON, a directory of such files, or - for standard input;
    TrafficExtensions are validated too. All files are validated together, as one report.
    """
    from wasmpack.actions.documents import read_or_report
    from wasmpack.actions.validate_wasmplugin import validate_wasmplugin as validated

    checks, scope, subject = given.resource_checks(), given.scope, ", ".join(files)
    documents, unreadable = read_or_report(files)
    report = validated(documents, subject, checks, session, images=scope, unreadable=unreadable)
    return show_report(report, console)
