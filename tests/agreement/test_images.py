"""Our verdict on images beside the rules of each consumer and release."""

from __future__ import annotations

import pytest

from agreement.images import OK, Case, CaseReader, cases, readers
from agreement.odd_images import odd_cases
from wasmpack.actions.checks import Checks
from wasmpack.actions.validate_image import validate_image
from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Verdict
from wasmpack.images.image import Image

CASES = [*cases(), *odd_cases()]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_verdicts_of_every_release(case: Case) -> None:
    image = Image(CaseReader(case), case.name, pinned=case.pinned)
    checks = Checks(targets=readers(), start_up=StartUp(dry_run=False))
    report = validate_image(image, checks)
    verdicts = {row.target: row.verdict for row in report.targets}
    wrong = {}
    for target in readers():
        expected = case.expected(target)
        said = " ".join(
            f.message for f in report.findings if target in f.targets and f.severity == "error"
        )
        agrees = verdicts[target] is Verdict.ACCEPT if expected == OK else expected in said
        if not agrees:
            wrong[target] = (expected, verdicts[target].value, said)
    assert wrong == {}, case.row


def test_how_many() -> None:
    assert len(CASES) >= 230
    assert all(case.row for case in CASES)
