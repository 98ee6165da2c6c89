"""Several subjects of any kind, validated on all cores.

Who validates a module does not wait for what images and resources need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.several import Failure, attempt, in_order
from wasmpack.actions.subjects import Subject, SubjectKind
from wasmpack.actions.validate import validate_config, validate_module
from wasmpack.dry_run.nursery import warm_workers
from wasmpack.findings import Report

if TYPE_CHECKING:
    from wasmpack.stores.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectValidator:
    """Validates subjects of any kind in the same way."""

    checks: Checks
    resource_checks: Checks
    """Those of modules in resources."""
    session: Session
    images: ImageScope
    """How far the images of resources are looked at."""

    def report(self, subject: Subject) -> Report:
        """:raises WasmpackError: the subject cannot be read."""
        match subject.kind:
            case SubjectKind.MODULE:
                return validate_module(subject.module, self.checks)
            case SubjectKind.CONFIG:
                return validate_config(subject.config, subject.name, strict=self.checks.strict)
            case SubjectKind.IMAGE:
                from wasmpack.actions.validate_image import validate_image

                return validate_image(subject.image(self.session), self.checks)
            case SubjectKind.RESOURCES:
                return self._resources(subject)
            case _:
                assert_never(subject.kind)

    def _resources(self, subject: Subject) -> Report:
        from wasmpack.actions.validate_wasmplugin import validate_wasmplugin

        documents, unreadable = subject.documents
        return validate_wasmplugin(
            documents,
            subject.name,
            self.resource_checks,
            self.session,
            images=self.images,
            unreadable=unreadable,
        )


def validate_subjects(
    names: Sequence[str],
    find: Callable[[str], Subject],
    validator: SubjectValidator,
    *,
    jobs: int | None = None,
) -> Iterator[Report | Failure]:
    """The report on each name, in their order; a failure hides none of the others.

    :param find: the subject of a name
    :param jobs: how many at a time; see :func:`wasmpack.actions.several.in_order`
    """
    subjects = (attempt(find, name, name) for name in names)

    def report(subject: Subject | Failure) -> Report | Failure:
        if isinstance(subject, Failure):
            return subject
        return attempt(validator.report, subject, subject.name)

    with warm_workers() if len(names) > 1 else nullcontext():
        yield from in_order(subjects, report, jobs=jobs)
