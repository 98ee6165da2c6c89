"""The images that resources point at: each is validated once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from wasmpack.actions.validate import Checks
from wasmpack.actions.validate_image import image_problems
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import AccessRefused, RegistryUnavailable, WasmpackError
from wasmpack.findings import Problem
from wasmpack.images.opening import open_image
from wasmpack.images.parts import UNREADABLE
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.place import NamePlace
from wasmpack.oci.reference import Reference
from wasmpack.stores.local import find_local
from wasmpack.stores.session import Session
from wasmpack.targets import Target

_REMEMBERED = 64
"""Most results to keep; a manifest may have megabytes."""
_GIVEN_UP_AFTER = 2
"""Failed images of a registry that has not delivered any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginImage:
    """Facts about an image, without its bytes."""

    top: Manifest | Index
    manifest: Manifest | None
    problems: Mapping[str, Sequence[Problem]]
    """Problems by target."""


class PluginImages:
    """Images as the mesh would pull them, started with the configuration of each resource."""

    def __init__(
        self, targets: Sequence[Target], checks: Checks, session: Session, *, remote: bool
    ) -> None:
        self._targets = targets
        self._checks = checks
        self._session = session
        self._remote = remote
        self._failed: Counter[str] = Counter()
        self._last: dict[str, WasmpackError] = {}
        self._look = lru_cache(maxsize=_REMEMBERED)(self._look_at)

    def look(
        self, reference: Reference, login: tuple[str, str] | None, start_up: StartUp
    ) -> PluginImage | WasmpackError:
        """The image, or the reason why it cannot be read.

        :param login: user and password of the pull secret
        """
        registry = reference.registry
        if self._failed[registry] >= _GIVEN_UP_AFTER and not self._is_local(reference):
            return self._last[registry]
        return self._look(reference, login, start_up)

    def _is_local(self, reference: Reference) -> bool:
        return not self._remote and find_local(reference.with_default_tag()) is not None

    def _look_at(
        self, reference: Reference, login: tuple[str, str] | None, start_up: StartUp
    ) -> PluginImage | WasmpackError:
        place = NamePlace(reference, remote=self._remote)
        try:
            image = open_image(place, self._logged_in(reference, login))
            top, manifest = image.top, image.manifest
        except RegistryUnavailable as error:
            self._failed[reference.registry] += 1
            self._last[reference.registry] = error
            return error.with_traceback(None)
        except (AccessRefused, *UNREADABLE) as error:
            return error.with_traceback(None)
        self._failed[reference.registry] = 0
        checks = replace(self._checks, start_up=start_up)
        try:
            problems, _ = image_problems(image, self._targets, checks)
        except (AccessRefused, RegistryUnavailable) as error:
            return error.with_traceback(None)
        return PluginImage(top=top, manifest=manifest, problems=problems)

    def _logged_in(self, reference: Reference, login: tuple[str, str] | None) -> Session:
        if login is None:
            return self._session
        options = self._session.registry.with_login(reference.registry, *login)
        return replace(self._session, registry=options)
