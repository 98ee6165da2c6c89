"""Would this mesh take this WasmPlugin, and load what it points at?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from wasmpack.actions.image_rules import UNREADABLE_IMAGE
from wasmpack.actions.plugin_images import PluginImage, PluginImages
from wasmpack.actions.validate import Checks
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import BadArtifact, NotFound, WasmpackError
from wasmpack.findings import Problem, Report, Rule, Severity, few_of_each
from wasmpack.images.image import Image
from wasmpack.images.parts import UNREADABLE
from wasmpack.kubeyaml.documents import Document
from wasmpack.mesh.api_rules import release_problems, rule_problems
from wasmpack.mesh.behaviour import (
    behaviour_problems,
    plugin_configuration,
    standing_problems,
    variables,
)
from wasmpack.mesh.order import order_problems
from wasmpack.mesh.plugin import DEFAULT_NAMESPACE, KINDS, Plugin, mapping
from wasmpack.mesh.pulling import DIGEST_NEVER_MATCHES, PullSecret, checksum
from wasmpack.mesh.releases import Release, mesh_targets
from wasmpack.mesh.schema_rules import schema_problems
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.manifest import Index
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session
from wasmpack.targets import target as target_named

IMAGE_UNSEEN = Rule(
    code="WPL015",
    title="the image could not be read from here, so it was not judged",
    severity=Severity.WARNING,
    consumer="none",
    fix="as the hint says; `--no-image`",
)
IMAGE_MISSING = Rule(
    code="WPL016",
    title="the image is not there",
    cause="the mesh cannot pull it, and fails closed",
    consumer="Istio: `could not fetch manifest`",
    fix="push it, or name another tag",
)
SLOW_PULL = Rule(
    code="WPL017",
    title="the image is so large that it may not arrive within 30 seconds, which is fixed",
    severity=Severity.WARNING,
    consumer="Istio",
    fix="strip the module, keep the registry near",
)
_PULL_SECONDS = 30
"""Pilot gives every pull this long (istio pilot/pkg/model/extensions.go)."""
_SLOW = 60 << 20
"""Bytes that do not come in that time at 16 Mbit/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScope:
    """How far the images that resources point at are looked at."""

    read: bool = True
    """Read them, and start their modules."""
    remote: bool = False
    """Ask registries only, whatever the local store holds."""


def validate_wasmplugin(
    documents: Sequence[Document],
    subject: str,
    checks: Checks | None = None,
    session: Session | None = None,
    *,
    images: ImageScope | None = None,
    unreadable: Sequence[Problem] = (),
) -> Report:
    """Judge every WasmPlugin and TrafficExtension among the documents.

    Secrets among them are checked as the pull secrets that they are.

    :param checks: a start-up given here goes before what the resource says
    :param unreadable: files that gave no documents
    :raises BadArtifact: there is none
    :raises WrongUsage: a target that reads no WasmPlugin
    """
    checks, session = checks or Checks(), session or Session()
    items = [item for document in documents for item in _resources(document)]
    plugins = [Plugin.of(item) for item in items if mapping(item.value).get("kind") in KINDS]
    if not plugins and not unreadable:
        kinds = sorted({str(mapping(item.value).get("kind") or "no kind") for item in items})
        found = f" (but {', '.join(kinds)})" if kinds else ""
        raise BadArtifact(
            f"{subject}: no WasmPlugin or TrafficExtension in it{found}",
            hint="wasmpack migrate servicemeshextension" if "ServiceMeshExtension" in kinds else "",
        )
    hosts = {url.registry for p in plugins if (url := MeshUrl.parse(p.text("url")).reference)}
    if len(hosts) > 1:  # whose would user and password be?
        session = session.without_login()
    secrets = [secret for item in items if (secret := PullSecret.of(item))]
    releases = mesh_targets(list(checks.targets))
    check = _Check(releases, secrets, checks, images or ImageScope(), session)
    problems: dict[str, list[Problem]] = {name: list(unreadable) for name in releases}
    orders = order_problems(plugins)
    for number, plugin in enumerate(plugins):
        for name, found_here in check.problems(plugin).items():
            problems.setdefault(name, [])
            problems[name] += found_here + (orders[number] if name in releases else [])
    return checks.judge(subject, "wasmplugin", problems)


def _resources(document: Document) -> Iterator[Document]:
    """The items of a list; one that says that it is a plugin itself is validated as that too."""
    value = mapping(document.value)
    if isinstance(value.get("items"), list) and value.get("kind") in KINDS:
        yield document
    yield from document.items()


def resource_problems(plugin: Plugin, releases: Mapping[str, Release]) -> dict[str, list[Problem]]:
    """What a resource by itself has against it on each release, most important first."""
    url = MeshUrl.parse(plugin.text("url"))
    schema = list(schema_problems(plugin))
    everywhere = list(few_of_each(rule_problems(plugin)))
    if url.text:
        everywhere += standing_problems(plugin, url)
    found = {}
    for name, release in releases.items():
        found[name] = [*schema, *few_of_each(release_problems(plugin, release)), *everywhere]
        if url.text:
            found[name] += behaviour_problems(plugin, url, release)
    return found


def start_up_of(plugin: Plugin, given: StartUp | None = None) -> StartUp:
    """How the mesh will start the module: with this configuration, or none, and nothing else.

    :param given: what is to be tried instead
    """
    given = given or StartUp()
    own = plugin_configuration(plugin.fields.get("pluginConfig"))
    values, of_host = variables(plugin.fields)
    return replace(
        given,
        plugin_config=own if given.plugin_config is None else given.plugin_config,
        env=tuple((values | dict(given.env)).items()),
        host_env=tuple(name for name in of_host if name not in dict(given.env)),
        root_id=given.root_id or plugin.text("pluginName"),
    )


class _Check:
    """Several resources, judged for the same targets."""

    def __init__(
        self,
        releases: Mapping[str, Release],
        secrets: Sequence[PullSecret],
        checks: Checks,
        images: ImageScope,
        session: Session,
    ) -> None:
        self._releases = releases
        self._secrets: dict[tuple[str, str], PullSecret] = {}
        """By name and namespace; under an empty namespace the first of that name."""
        for secret in secrets:
            self._secrets.setdefault((secret.name, secret.namespace), secret)
            self._secrets.setdefault((secret.name, ""), secret)
        self._checks = checks
        self._images = images
        self._session = session
        chosen = [target_named(name) for name in releases]
        self._looker = PluginImages(chosen, checks, session, remote=images.remote)

    def problems(self, plugin: Plugin) -> dict[str, list[Problem]]:
        """By target."""
        found = resource_problems(plugin, self._releases)
        url = MeshUrl.parse(plugin.text("url"))
        if url.reference is None:
            return found
        shared = list(self._secret_problems(plugin, url.reference))
        per_target: dict[str, list[Problem]] = {}
        if self._images.read:
            more, per_target = self._image_problems(plugin, url, url.reference)
            shared += more
        judged = {name: rows + shared for name, rows in found.items()}
        for name, rows in per_target.items():  # the Envoy that was asked may be one of them
            judged[name] = judged.get(name, []) + rows
        return judged

    def _secret(self, plugin: Plugin) -> PullSecret | None:
        name, namespace = plugin.pull_secret, plugin.namespace or DEFAULT_NAMESPACE
        if not name:
            return None
        return self._secrets.get((name, namespace)) or self._secrets.get((name, ""))

    def _secret_problems(self, plugin: Plugin, reference: Reference) -> Sequence[Problem]:
        secret = self._secret(plugin)
        return () if secret is None else tuple(secret.problems(plugin, reference))

    def _image_problems(
        self, plugin: Plugin, url: MeshUrl, reference: Reference
    ) -> tuple[list[Problem], dict[str, list[Problem]]]:
        """Those of every target, and those of each."""
        secret = self._secret(plugin)
        own = secret and self._session.registry.username is None
        login = secret.credential(reference) if secret and own else None
        start_up = start_up_of(plugin, self._checks.start_up)
        found = self._looker.look(reference, login, start_up)
        if not isinstance(found, PluginImage):
            return [_not_read(plugin, found)], {}
        shared = [*checksum_problems(plugin, url, found), *slow_pull_problems(plugin, found)]
        at = plugin.document.where(plugin.path("url"))
        return shared, {
            name: [replace(problem, where=f"{at}: {problem.where}") for problem in rows]
            for name, rows in found.problems.items()
        }


def _not_read(plugin: Plugin, error: WasmpackError) -> Problem:
    if isinstance(error, NotFound):
        message = f"{error.message}: the mesh cannot pull it, and fails closed"
        hint = error.hint or "wasmpack push, or another tag"
        return plugin.problem(IMAGE_MISSING, "url", message, hint)
    if isinstance(error, UNREADABLE):
        return plugin.problem(UNREADABLE_IMAGE, "url", error.message, error.hint)
    message = f"the image could not be looked at from here, so it is not judged: {error.message}"
    return plugin.problem(IMAGE_UNSEEN, "url", message, error.hint or "--no-image leaves it out")


def checksum_problems(
    plugin: Plugin, url: MeshUrl, image: Image | PluginImage
) -> Sequence[Problem]:
    """The mesh compares the digest of the image's manifest; of an index, of linux/amd64's."""
    wanted = checksum(plugin, url)
    manifest = image.manifest
    if not wanted or manifest is None or wanted == manifest.digest.hex:
        return ()
    at = "sha256" if plugin.text("sha256") else "url"
    layers = {layer.digest.hex for layer in manifest.layers}
    if isinstance(image.top, Index) and wanted == image.top.digest.hex:
        what = "the digest of the index, which the mesh never compares"
    elif wanted in layers:
        what = "the digest of a layer, not of the image"
    else:
        what = f"not the digest of the image that {url.shown} names now"
    right = manifest.digest.hex
    message = f"{wanted[:12]}… is {what}: 'has checksum {right}, which does not match'"
    hint = f"sha256: {right}, or render it with --pin"
    return (plugin.problem(DIGEST_NEVER_MATCHES, at, message, hint),)


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
