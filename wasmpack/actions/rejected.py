"""The failure of an action that would write something that cannot work."""

from wasmpack.errors import BadArtifact
from wasmpack.findings import Report


class RejectedArtifact(BadArtifact):
    """Validation rejected the artifact; ``report`` has the reasons."""

    def __init__(self, report: Report, hint: str = "--no-validate writes it anyway") -> None:
        errors = sum(1 for finding in report.findings if finding.severity == "error")
        what = f"{errors} error{'' if errors == 1 else 's'}" if errors else "warnings"
        super().__init__(f"{report.subject}: rejected, {what} found, nothing written", hint=hint)
        self.report = report
