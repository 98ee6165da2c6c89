"""The images that resources point at: each is validated once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from wasmpack.actions.checks import Checks
from wasmpack.actions.image_rules import realm_problems
from wasmpack.actions.validate_image import image_problems
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import AccessRefused, RegistryUnavailable, WasmpackError
from wasmpack.fetchers.fetch import INDEX
from wasmpack.findings import Problem, Rule, Severity
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.images.parts import UNREADABLE
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.pulling import DIGEST_NEVER_MATCHES, checksum
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.oci.place import NamePlace
from wasmpack.oci.reference import Reference
from wasmpack.stores.local import find_local
from wasmpack.stores.registry.credentials import find_credential
from wasmpack.stores.session import Session
from wasmpack.targets import Target

IMAGE_UNSEEN = Rule(
    code="WPL015",
    title="the image or module could not be read from here, so it was not judged",
    severity=Severity.WARNING,
    consumer="none",
    example="url: oci://registry.internal/plugin:v1 # unreachable from here",
    fix="as the hint says; `--no-image`",
)
SLOW_PULL = Rule(
    code="WPL017",
    title="the image is so large that it may not arrive within 30 seconds, which is fixed",
    severity=Severity.WARNING,
    consumer="Istio",
    example="96 MiB must arrive within 30 s at every proxy: the limit is fixed",
    fix="strip the module, keep the registry near",
)
_PULL_SECONDS = 30
"""Pilot gives every pull this long (istio pilot/pkg/model/extensions.go)."""
_SLOW = 60 << 20
"""Bytes that do not come in that time at 16 Mbit/s."""
_REMEMBERED = 64
"""Most results to keep; a manifest may have megabytes."""
_GIVEN_UP_AFTER = 2
"""Failed images of a registry that has not delivered any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginImage:
    """Facts about an image, without its bytes."""

    indexes: tuple[Index, ...]
    manifest: Manifest | None
    problems: Mapping[str, Sequence[Problem]]
    """Problems by target."""
    from_registry: bool
    """It came from its registry, and not from the local store."""


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
        self._challenges: dict[str, str] = {}
        """The last challenge of each registry."""
        self._look = lru_cache(maxsize=_REMEMBERED)(self._look_at)
        self.is_private = lru_cache(maxsize=_REMEMBERED)(self._refuses_strangers)

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

    def refused_registry(self, reference: Reference) -> dict[str, Sequence[Problem]]:
        """Reasons by target why its fetcher refuses the registry, whatever the credentials."""
        found = realm_problems(self._challenges.get(reference.registry, ""))
        return {target.name: found for target in self._targets if target.realm_guard and found}

    def _refuses_strangers(self, reference: Reference) -> bool:
        """True if the registry gives an image that was read with a login to nobody without one."""
        if self._is_local(reference):
            return False
        options = self._session.registry
        try:
            if find_credential(reference.registry, reference.repository, options) is None:
                return False
            stranger = replace(self._session, registry=options.anonymously())
            _ = open_image(NamePlace(reference, remote=True), stranger).top
        except AccessRefused:
            return True
        except WasmpackError:  # not established
            return False
        return False

    def _is_local(self, reference: Reference) -> bool:
        return not self._remote and find_local(reference.with_default_tag()) is not None

    def _look_at(
        self, reference: Reference, login: tuple[str, str] | None, start_up: StartUp
    ) -> PluginImage | WasmpackError:
        place = NamePlace(reference, remote=self._remote)
        try:
            image = open_image(place, self._logged_in(reference, login))
            try:
                indexes, manifest = image.indexes, image.manifest
            finally:
                self._challenges[reference.registry] = image.challenge
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
        return PluginImage(
            indexes=indexes,
            manifest=manifest,
            problems=problems,
            from_registry=image.source == "registry",
        )

    def _logged_in(self, reference: Reference, login: tuple[str, str] | None) -> Session:
        if login is None:
            return self._session
        options = self._session.registry.with_login(reference.registry, *login)
        return replace(self._session, registry=options)


def checksum_problems(
    plugin: Plugin, url: MeshUrl, image: Image | PluginImage
) -> Sequence[Problem]:
    """The mesh compares the digest of the image's manifest; of an index, of linux/amd64's."""
    wanted = checksum(plugin, url)
    manifest = image.manifest
    if not wanted or manifest is None or wanted == manifest.digest.hex:
        return ()
    at = "sha256" if plugin.text("sha256") else "url"
    what = (
        _digest_of(wanted, image.indexes, manifest)
        or f"not the digest of the image that {url.shown} names now"
    )
    right = manifest.digest.hex
    message = f"{wanted[:12]}… is {what}: 'has checksum {right}, which does not match'"
    hint = f"sha256: {right}, or render it with --pin"
    return (plugin.problem(DIGEST_NEVER_MATCHES, at, message, hint),)


def _digest_of(wanted: str, indexes: Sequence[Index], manifest: Manifest) -> str:
    """The part of an image that has this digest instead; empty if none has."""
    if wanted in [index.digest.hex for index in indexes]:
        which = "the" if wanted == indexes[0].digest.hex else "an inner"
        return f"the digest of {which} index, which the mesh never compares"
    if wanted in [layer.digest.hex for layer in manifest.layers]:
        return "the digest of a layer, not of the image"
    if manifest.config is not None and wanted == manifest.config.digest.hex:
        return "the digest of the image's configuration (docker's image ID), not of the image"
    rows = (row for index in indexes for row in index.manifests if row.digest.hex == wanted)
    other = next(rows, None)
    if other is None:
        return ""
    return f"the digest of another part of the index ({other.platform or 'no platform'})"


def without_settled(
    problems: Sequence[Problem], plugin: Plugin, url: MeshUrl, manifest: Manifest | None
) -> list[Problem]:
    """The problems of an image but those that the digest in the resource has settled."""
    settled = manifest is not None and checksum(plugin, url) == manifest.digest.hex
    return [problem for problem in problems if not (settled and problem.rule is INDEX)]


def slow_pull_problems(plugin: Plugin, image: Image | PluginImage) -> Sequence[Problem]:
    manifest = image.manifest
    size = max((layer.size for layer in manifest.layers), default=0) if manifest else 0
    if size < _SLOW:
        return ()
    message = (
        f"{size >> 20} MiB must arrive within {_PULL_SECONDS} s at every proxy: the limit is fixed"
    )
    hint = "strip the module, or keep the image near the mesh"
    return (plugin.problem(SLOW_PULL, "url", message, hint),)
