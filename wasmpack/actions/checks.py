"""How subjects are validated: the checks that a user chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wasmpack.dry_run.start_up import StartUp
from wasmpack.findings import Problem, Report, judge
from wasmpack.targets import ships


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How to validate."""

    targets: Sequence[str] = ()
    """Names, or ``all``; none means the default targets."""
    start_up: StartUp = field(default_factory=StartUp)
    """The inputs of the module's start-up in the dry run."""
    strict: bool = False
    """Warnings reject too."""
    envoy: bool = False
    """Ask the Envoy of this machine too, with one request."""

    def judge(
        self,
        subject: str,
        kind: str,
        problems: Mapping[str, Iterable[Problem]],
        *,
        complete: bool = True,
    ) -> Report:
        """The report over each target's problems under these checks.

        :param complete: nothing was left out or unreadable
        """
        return judge(
            subject,
            kind,
            problems,
            strict_targets=bool(self.targets),
            strict=self.strict,
            complete=complete,
            ships=ships,
        )

    def depend_on_image_alone(self, root_ids: Sequence[str] = ()) -> bool:
        """Nothing but the image decides: the verdict may be kept under its digest.

        :param root_ids: those that are in the image anyway
        """
        given = replace(self.start_up, seconds=None)
        own = [StartUp(root_id=root_id) for root_id in ("", *root_ids[:1])]
        return given in own and not (self.targets or self.strict or self.envoy)

    def with_root_id(self, runtime_config: bytes | None) -> StartUp:
        """The start-up with the root id given, or else the runtime configuration's first."""
        if self.start_up.root_id or runtime_config is None:
            return self.start_up
        from wasmpack.runtime_config import first_root_id

        return replace(self.start_up, root_id=first_root_id(runtime_config))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScope:
    """How far the images that resources point at are looked at."""

    read: bool = True
    """Read them, and start their modules."""
    remote: bool = False
    """Ask registries only, whatever the local store holds."""
