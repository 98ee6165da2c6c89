"""``wasmpack mirror``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasmpack.cli.command import Section, argument, command, grouped, option
from wasmpack.cli.console import Console, Facts, resource_format_option
from wasmpack.cli.names import MAYBE_NAME
from wasmpack.cli.options import completed_name
from wasmpack.cli.report_files import REPORT, check_report
from wasmpack.cli.sides import both_registry_options
from wasmpack.errors import WrongUsage
from wasmpack.oci.place import is_there
from wasmpack.redaction import plain_text
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.image_moves import ImageOutcome
    from wasmpack.actions.mirror import Mirror, MirrorRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOptions:
    """Which images are copied, and how their names are written."""

    subjects: tuple[str, ...] = argument(
        metavar="FILE...|IMAGE...", nargs=-1, required=True, type=MAYBE_NAME
    )
    prefix: str = argument(metavar="PREFIX")
    pin: bool = option("Write the digests that the mesh compares.", "--pin/--no-pin", default=True)
    referrers: bool = option(
        "Copy signatures and the like too.", "--referrers/--no-referrers", default=True
    )
    report: Path | None = option(REPORT, section=Section.OUTPUT)

    def request(self) -> MirrorRequest:
        """Return the request.

        :raises WrongUsage: a report of another kind
        """
        from wasmpack.actions.mirror import MirrorRequest

        check_report(self.report)
        return MirrorRequest(prefix=self.prefix, pin=self.pin, referrers=self.referrers)

    @property
    def of_files(self) -> bool:
        """True if the subjects are files of resources, not images.

        :raises WrongUsage: some are, others are not
        """
        files = [_is_file(name) for name in self.subjects]
        if len(set(files)) > 1:
            raise WrongUsage(
                "some of these are files, others images", hint="one wasmpack mirror for each kind"
            )
        return files[0]


@command(examples=["wasmpack mirror plugins.yaml registry.example.com/mirror > new.yaml"])
@grouped("given", MirrorOptions, section=Section.IMAGE)
@resource_format_option
@both_registry_options
def mirror(given: MirrorOptions, console: Console, session: Session) -> int:
    """Copy plugin images below PREFIX, for another registry.

    FILE is YAML or JSON of WasmPlugins, TrafficExtensions, EnvoyExtensionPolicies or EnvoyFilters,
    a directory of such files, or - for standard input; other resources stay as they are. An IMAGE
    is the name of one in a registry. Prints the resources with the new URLs. The sources are left
    as they are; what is there already is not sent again. A resource whose image cannot be copied is
    left out.

    Each image gets its last name and its tag below PREFIX; of two that would meet there, both get
    their registry and repository: PREFIX/quay.io/me/plugin:v1. Mirrors of other files may put tags
    there too: one that names another image is moved, and stderr names the digest that it replaces.
    """
    request = given.request()
    if given.of_files:
        return _mirror_files(given, request, console, session)
    return _mirror_images(given, request, console, session)


def _mirror_files(
    given: MirrorOptions, request: MirrorRequest, console: Console, session: Session
) -> int:
    from wasmpack.actions.documents import read_document_files
    from wasmpack.actions.mirror import mirror_resources
    from wasmpack.cli.migrate_text import resource_lines
    from wasmpack.kubeyaml.writer import Rendered

    done = mirror_resources(
        list(read_document_files(given.subjects)),
        request,
        session,
        subject=", ".join(given.subjects),
        advance=lambda outcome: _show(outcome, console),
    )
    for row in done.rows:
        if not row.done:
            console.warn(f"{plain_text(row.document.where())}: {plain_text(row.name)} is left out")
    _write_report(done, given, console)
    console.show(Rendered(documents=done.outputs), resource_lines(done.outputs))
    return done.exit_code


def _mirror_images(
    given: MirrorOptions, request: MirrorRequest, console: Console, session: Session
) -> int:
    from wasmpack.actions.mirror import Mirror, mirror_images

    bare = [name.removeprefix("docker://").removeprefix("oci://") for name in given.subjects]
    names = list(map(completed_name, bare))
    found = mirror_images(names, request, session, advance=lambda row: _show(row, console))
    done = Mirror(outputs=(), rows=(), images=tuple(found.values()))
    _write_report(done, given, console)
    lines = [plain_text(f"{i.destination}@{i.digest}") for i in done.images if i.digest]
    console.show(Facts(images=[image.as_json() for image in done.images]), lines)
    return done.exit_code


def _write_report(done: Mirror, given: MirrorOptions, console: Console) -> None:
    from wasmpack.actions.mirror_report import mirror_markdown
    from wasmpack.cli.report_files import write_report

    if given.report is not None:
        write_report(done, lambda: mirror_markdown(done), given.report, console)


def _show(outcome: ImageOutcome, console: Console) -> None:
    from wasmpack.cli.migrate_text import show_image

    show_image(outcome, console)
    if outcome.replaced:
        what = f"{outcome.destination}: named {outcome.replaced} before, which is replaced"
        console.warn(plain_text(what))
    if outcome.error:
        console.error(f"{outcome.source}: {outcome.reason}", outcome.hint)


def _is_file(name: str) -> bool:
    from wasmpack.actions.inputs import RESOURCE_SUFFIXES, STDIN

    return name == STDIN or name.endswith(RESOURCE_SUFFIXES) or is_there(Path(name).exists)
