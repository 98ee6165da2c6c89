"""Inspection of a large image without reading all of it.

The declarations of a module are a few kilobytes. If the module is a layer by itself (the ``oci``
variant), only these are read: from a registry by range requests. Checks that need the whole module
(digest, code, start-up) are left out.
"""

from collections.abc import Iterator, Sequence

from wasmpack.actions.inspect_module import ModuleView, inspect_source
from wasmpack.dry_run.start_up import StartUp
from wasmpack.fetchers.fetch import fetch
from wasmpack.findings import Blank, Command, Hint, Problem, Report, Rule, Severity, judge
from wasmpack.images.image import LARGE, Image
from wasmpack.module_rules.check import NOT_STARTED, ModuleFacts, module_problems
from wasmpack.oci.descriptor import Descriptor
from wasmpack.proxy_abi.host_scan import host_scan
from wasmpack.targets import Target, choose, ships

_HEAD = 8
"""Bytes of a module that fetchers check."""
PARTLY_READ = Rule(
    code="IMG008",
    title="a large module in a raw layer, inspected in parts",
    severity=Severity.INFO,
    cause="digest, code and start-up were not checked",
    consumer="none",
    example="a module of 48 MiB, of which only the declarations were read",
    fix="`wasmpack pull` it and `wasmpack validate image`",
)
_VALIDATE = Hint(command=Command("validate image", (Blank.IMAGE,)))


class PartialLook:
    """An image whose module is not read whole."""

    def __init__(self, image: Image, layer: Descriptor) -> None:
        self._image = image
        self._layer = layer
        self._window = image.window(layer)
        self.module: ModuleView = inspect_source(self._window, layer.digest)

    def report(self, targets: Sequence[str]) -> Report:
        """The findings that do not need the whole module."""
        facts = ModuleFacts(
            module=self.module.module, scan=host_scan(self._window), start_up=StartUp(dry_run=False)
        )
        problems = {
            target.name: [
                problem.about(self._image.reference) for problem in self._problems(target, facts)
            ]
            for target in choose(tuple(targets))
        }
        return judge(
            self._image.reference, "image", problems, strict_targets=bool(targets), ships=ships
        )

    def _problems(self, target: Target, facts: ModuleFacts) -> list[Problem]:
        found = [
            PARTLY_READ.problem(problem.where, self._unread(), _VALIDATE)
            if problem.rule is NOT_STARTED
            else problem
            for problem in module_problems(facts, target)
        ]
        if target.image is None:
            return found
        image = self._image
        fetched = fetch(image.top, image.get, self._head, target.image, pinned=image.pinned)
        return [*fetched.problems, *(found if fetched.module is not None else ())]

    def _head(self, descriptor: Descriptor) -> Iterator[bytes]:
        if descriptor.digest == self._layer.digest:
            yield self._window[:_HEAD]
            return
        yield self._image.read_at(descriptor, 0, min(descriptor.size, LARGE))

    def _unread(self) -> str:
        return (
            f"a module of {self._layer.size >> 20} MiB, of which only the declarations were read: "
            "its digest, its code and its start-up were not checked"
        )
