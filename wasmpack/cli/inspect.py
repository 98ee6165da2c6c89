"""``wasmpack inspect``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.options import PLACE, at_registry, completed_place, registry_options
from wasmpack.cli.results import Lines, Result, show_results
from wasmpack.cli.root import NounGroup
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import Place
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.subjects import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOptions:
    """How images are shown."""

    remote: bool = option("Read from the registry only.", section=Section.IMAGE)
    targets: tuple[str, ...] = option(
        "Validate for this release, or 'all'.",
        "--target",
        metavar="RELEASE",
        section=Section.CHECKS,
    )
    everything: bool = option(
        "Show all imports, exports and sections.", "--all", section=Section.OUTPUT
    )
    raw: str | None = option(
        "Print these bytes: manifest, config or layer:N (from 0).",
        metavar="PART",
        section=Section.OUTPUT,
    )

    def show(self, subjects: Sequence[Subject], console: Console, session: Session) -> int:
        """Show each subject, or the raw part of one image; return the exit code."""
        first, *others = subjects
        if self.raw is not None:
            if others or first.place is None:
                raise WrongUsage("--raw: expected one image")
            from wasmpack.actions.inspect import raw_part

            part = raw_part(first.image(session), self.raw.lower())
            console.raw(part, f"--raw {self.raw}")
            return 0
        if not others:
            return self._look(first, session).show(console)
        from wasmpack.actions.several import attempt

        look = partial(self._look, session=session)
        results = (attempt(look, subject, subject.name) for subject in subjects)
        return show_results(results, len(subjects), console)

    def _look(self, subject: Subject, session: Session) -> Result:
        from wasmpack.actions.subjects import SubjectKind

        if subject.kind is SubjectKind.MODULE:
            return self._module(subject)
        if subject.kind is SubjectKind.IMAGE:
            return self._image(subject, session)
        raise WrongUsage(
            f"{subject.name}: {subject.what}, but inspect shows modules and images",
            hint=f"wasmpack validate {subject.name}",
        )

    def _module(self, subject: Subject) -> Result:
        from wasmpack.actions.inspect_module import inspect_module
        from wasmpack.cli.image_text import named_module_lines

        module = subject.module
        view = inspect_module(module)
        return Result(
            value=Facts(subject=module.name, **view.as_json()),
            lines=self._shown(partial(named_module_lines, module.name, view)),
        )

    def _image(self, subject: Subject, session: Session) -> Result:
        from wasmpack.actions.inspect import inspect_image
        from wasmpack.cli.image_text import image_lines

        view = inspect_image(subject.image(session), self.targets)
        return Result(value=view, lines=self._shown(partial(image_lines, view)))

    def _shown(self, lines: Lines) -> Lines:
        return lambda style: lines(replace(style, everything=self.everything or style.detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOptions(LookOptions):
    """Modules and images."""

    names: tuple[str, ...] = argument(metavar="SUBJECT...", nargs=-1, required=True)


@click.group(cls=NounGroup)
def inspect() -> None:
    """Show what images and modules are made of."""


@inspect.takes_any
@command(examples=["wasmpack inspect filter.wasm quay.io/me/plugin:v1"])
@grouped("given", AnyOptions)
@format_option
@registry_options
def inspect_any(given: AnyOptions, console: Console, session: Session) -> int:
    """Show what each SUBJECT is made of.

    SUBJECT is a module, or an image anywhere. What it is, is found out and shown. Name the kind to
    have it read as that.
    """
    from wasmpack.actions.subjects import recognize

    subjects = [
        recognize(name, remote=given.remote, completed=completed_place) for name in given.names
    ]
    for subject in subjects:
        console.notice(f"{subject.name}: {subject.what}")
    return given.show(subjects, console, session)


@inspect.command("image", examples=["wasmpack inspect image quay.io/me/plugin:v1"])
@click.argument("images", metavar="IMAGE...", type=PLACE, nargs=-1, required=True)
@grouped("given", LookOptions)
@format_option
@registry_options
def inspect_image(
    images: tuple[Place, ...], given: LookOptions, console: Console, session: Session
) -> int:
    """Show images: manifest, layers, module and verdicts.

    That is, annotations, the runtime configuration, the module's ABI, SDK, imports, exports and
    section sizes, and the verdict of each target. For that the module is started in a separate
    process, unless this store has accepted it.
    """
    from wasmpack.actions.subjects import image_subject

    places = [at_registry(place) if given.remote else place for place in images]
    return given.show([image_subject(place) for place in places], console, session)


@inspect.command("module", examples=["wasmpack inspect module filter.wasm"])
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@grouped("given", LookOptions, only="everything")
@format_option
def inspect_module(files: tuple[str, ...], given: LookOptions, console: Console) -> int:
    """Show modules: ABI, SDK, imports, exports, section sizes.

    Nothing is compiled or run.
    """
    from wasmpack.actions.subjects import SubjectKind, subject_of

    subjects = [subject_of(SubjectKind.MODULE)(file) for file in files]
    return given.show(subjects, console, Session())
