"""Would this mesh take this resource, and load what it points at?"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from wasmpack.actions.checks import Checks, ImageScope
from wasmpack.actions.image_rules import UNREADABLE_IMAGE
from wasmpack.actions.mesh_trust import trust_problems
from wasmpack.actions.plugin_images import (
    IMAGE_UNSEEN,
    PluginImage,
    PluginImages,
    checksum_problems,
    slow_pull_problems,
    without_settled,
)
from wasmpack.actions.plugin_urls import PluginUrls
from wasmpack.actions.resource_problems import (
    judged_start_up,
    of_module,
    resource_problems,
    start_up_of,
)
from wasmpack.actions.resources import (
    NOT_JUDGED,
    in_line_order,
    nothing_to_validate,
    resources,
    sorted_out,
)
from wasmpack.errors import AccessRefused, BadArtifact, NotFound, WasmpackError
from wasmpack.findings import Problem, Report, Rule, Severity
from wasmpack.images.parts import UNREADABLE
from wasmpack.kubeyaml.documents import Document
from wasmpack.mesh.apis import CARRIERS, ISTIO, Api
from wasmpack.mesh.direction import Gateways
from wasmpack.mesh.order import order_problems
from wasmpack.mesh.plugin import DEFAULT_NAMESPACE, Plugin, mapping
from wasmpack.mesh.pulling import PullSecret
from wasmpack.mesh.releases import Release, mesh_targets
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session
from wasmpack.targets import target as target_named

IMAGE_MISSING = Rule(
    code="WPL016",
    title="the image is not there",
    cause="the mesh cannot pull it, and fails closed",
    consumer="Istio: `could not fetch manifest`",
    example="url: oci://quay.io/me/plugin:v2 # only v1 was pushed",
    fix="push it, or name another tag",
)
PRIVATE_IMAGE = Rule(
    code="WPL026",
    title="a private image, read here with your login, and no pull secret for the mesh",
    severity=Severity.WARNING,
    cause="without one, istio-agent pulls with the login it has itself, which is usually none",
    consumer="Istio: `could not fetch manifest … UNAUTHORIZED`",
    example="url: oci://quay.io/me/private:v1 # and no imagePullSecret",
    fix="`imagePullSecret`, made by `wasmpack render secret`",
)

_MOST_MODULES = 1_000
"""Modules that one call fetches and starts; one with another configuration is another one."""


def validate_wasmplugin(
    documents: Sequence[Document],
    subject: str,
    checks: Checks | None = None,
    session: Session | None = None,
    *,
    images: ImageScope | None = None,
    unreadable: Sequence[Problem] = (),
) -> Report:
    """Judge every resource among the documents that carries a plugin, by its own API.

    Secrets among them are checked as the pull secrets that they are.

    :param checks: a start-up given here goes before what the resource says
    :param unreadable: files that gave no documents
    :raises BadArtifact: no such resource, more modules than one call starts, or a file of
        certificates or logins that cannot be used
    :raises NotFound: such a file is not there
    :raises WrongUsage: a target that reads no WasmPlugin
    """
    checks, session = checks or Checks(), session or Session()
    items = [item for document in documents for item in resources(document)]
    carriers = [item for item in items if mapping(item.value).get("kind") in CARRIERS]
    if not carriers and not unreadable:
        raise nothing_to_validate(items, subject)
    notes, plugins = sorted_out(carriers)
    hosts = {url.registry for p in plugins if (url := MeshUrl.parse(p.text("url")).reference)}
    if len(hosts) > 1:  # whose would user and password be?
        session = session.without_login()
    apis = list(dict.fromkeys(plugin.api for plugin in plugins)) or [ISTIO]
    releases = mesh_targets(checks.targets, apis)
    context = _Context(items, checks, images or ImageScope(), session)
    if context.images.read:
        _check_amount(plugins, subject)
        session.check_files()
    by_api = {api: _Check(_read_by(api, releases), context) for api in apis}
    problems = {name: [*unreadable, *notes] for name in releases}
    orders = order_problems(plugins)
    for number, plugin in enumerate(plugins):
        check = by_api[plugin.api]
        for rows in problems.values() if not check.targets else ():
            rows.append(_not_read_by_any(plugin))
        for name, found_here in check.problems(plugin).items():
            problems.setdefault(name, [])
            problems[name] += found_here + (orders[number] if name in releases else [])
    report = checks.judge(subject, "wasmplugin", problems)
    return in_line_order(report, [document.source for document in documents])


def _check_amount(plugins: Sequence[Plugin], subject: str) -> None:
    """Refuse files that would keep registries and the dry run busy for hours."""
    started = {(plugin.text("url"), start_up_of(plugin)) for plugin in plugins}
    if len(started) > _MOST_MODULES:
        raise BadArtifact(
            f"{subject}: {len(started)} modules to fetch and start, more than {_MOST_MODULES}",
            hint="fewer files in each call, or --no-image for the resources alone",
        )


def _not_read_by_any(plugin: Plugin) -> Problem:
    message = f"none of the targets reads it ({plugin.api.reader} would): it is not judged"
    return plugin.problem(NOT_JUDGED, ("apiVersion",), message, "wasmpack targets")


def _read_by(api: Api, releases: Mapping[str, Release]) -> dict[str, Release]:
    """The targets that read the resources of an API."""
    return {
        name: release
        for name, release in releases.items()
        if target_named(name).consumer in api.consumers
    }


class _Context:
    """State shared by all resources of one set of files."""

    def __init__(
        self, items: Sequence[Document], checks: Checks, images: ImageScope, session: Session
    ) -> None:
        self.checks = checks
        self.images = images
        self.session = session
        self.gateways = Gateways.of(items)
        self._secrets: dict[tuple[str, str], PullSecret] = {}
        """By name and namespace; under an empty namespace the first of that name."""
        for secret in filter(None, map(PullSecret.of, items)):
            self._secrets.setdefault((secret.name, secret.namespace), secret)
            self._secrets.setdefault((secret.name, ""), secret)

    def secret(self, plugin: Plugin) -> PullSecret | None:
        """The pull secret that a plugin names, if it is among the files."""
        name, namespace = plugin.pull_secret, plugin.namespace or DEFAULT_NAMESPACE
        if not name:
            return None
        return self._secrets.get((name, namespace)) or self._secrets.get((name, ""))


class _Check:
    """Several resources, judged for the same targets."""

    def __init__(self, releases: Mapping[str, Release], context: _Context) -> None:
        self.targets = releases
        self._context = context
        chosen = [target_named(name) for name in releases]
        images = context.images
        self._urls = PluginUrls(chosen, context.checks, context.session)
        self._looker = PluginImages(chosen, context.checks, context.session, remote=images.remote)

    def problems(self, plugin: Plugin) -> dict[str, list[Problem]]:
        """By target."""
        given = dict(self._context.checks.start_up.env)
        found = resource_problems(plugin, self.targets, self._context.gateways, given=given)
        url = MeshUrl.parse(plugin.text("url"))
        shared: list[Problem] = []
        per_target: dict[str, list[Problem]] = {}
        if url.reference is not None:
            shared += self._secret_problems(plugin, url.reference)
        read = self._context.images.read
        shared += _not_judged(plugin, url, read=read)
        if read and url.reference is not None:
            more, per_target = self._image_problems(plugin, url, url.reference)
            shared += more
        elif read and url.fetched:
            more, per_target = self._module_problems(plugin, url)
            shared += more
        judged = {name: rows + shared for name, rows in found.items()}
        for name, rows in per_target.items():  # the Envoy that was asked may be one of them
            judged[name] = judged.get(name, []) + rows
        return judged

    def _secret_problems(self, plugin: Plugin, reference: Reference) -> Sequence[Problem]:
        secret = self._context.secret(plugin)
        return () if secret is None else tuple(secret.problems(plugin, reference))

    def _image_problems(
        self, plugin: Plugin, url: MeshUrl, reference: Reference
    ) -> tuple[list[Problem], dict[str, list[Problem]]]:
        """Those of every target, and those of each."""
        secret = self._context.secret(plugin)
        own = secret and self._context.session.registry.username is None
        login = secret.credential(reference) if secret and own else None
        start_up = judged_start_up(plugin, self._context.checks.start_up)
        found = self._looker.look(reference, login, start_up)
        if not isinstance(found, PluginImage):
            refused = self._looker.refused_registry(reference)
            return [_not_read(plugin, found)], _placed(plugin, refused)
        shared = [*checksum_problems(plugin, url, found), *slow_pull_problems(plugin, found)]
        if not plugin.pull_secret and self._looker.is_private(reference):
            message = "the registry asks for a login, and no pull secret is named"
            hint = f"imagePullSecret: wasmpack render secret {reference.registry}"
            shared.append(plugin.problem(PRIVATE_IMAGE, "url", message, hint))
        if found.from_registry:
            options = self._context.session.registry
            shared += trust_problems(plugin, reference.registry, options)
        left = {
            name: without_settled(rows, plugin, url, found.manifest)
            for name, rows in found.problems.items()
        }
        return shared, _placed(plugin, left)

    def _module_problems(
        self, plugin: Plugin, url: MeshUrl
    ) -> tuple[list[Problem], dict[str, list[Problem]]]:
        """As :meth:`_image_problems`, of an http(s) URL."""
        start_up = judged_start_up(plugin, self._context.checks.start_up)
        shared, by_target = self._urls.problems(plugin, url, start_up)
        return shared, _placed(plugin, by_target)


def _placed(plugin: Plugin, problems: Mapping[str, Sequence[Problem]]) -> dict[str, list[Problem]]:
    """Problems of what the URL names, in the resource."""
    return {
        name: [of_module(problem, plugin) for problem in rows] for name, rows in problems.items()
    }


def _not_judged(plugin: Plugin, url: MeshUrl, *, read: bool) -> Iterator[Problem]:
    """Report a module that was not examined; for images, ``--no-image`` already implies it."""
    if url.scheme == "file" and not url.faults:
        message = "a file of the proxy: the module is not judged"
        hint = f"wasmpack validate module {shlex.quote(PurePath(url.path).name)}"
        yield plugin.problem(NOT_JUDGED, "url", message, hint)
    elif url.fetched and not read:
        message = "the module behind the URL is not fetched, so it is not judged"
        hint = "leave out --no-image"
        yield plugin.problem(NOT_JUDGED, "url", message, hint, severity=Severity.INFO)


def _not_read(plugin: Plugin, error: WasmpackError) -> Problem:
    if isinstance(error, NotFound):
        message = f"{error.message}: the mesh cannot pull it, and fails closed"
        hint = error.hint or "wasmpack push, or another tag"
        return plugin.problem(IMAGE_MISSING, "url", message, hint)
    if isinstance(error, UNREADABLE):
        return plugin.problem(UNREADABLE_IMAGE, "url", error.message, error.hint)
    message = f"the image could not be looked at from here, so it is not judged: {error.message}"
    hint = error.hint or "--no-image leaves it out"
    reference = MeshUrl.parse(plugin.text("url")).reference
    if isinstance(error, AccessRefused) and reference and not plugin.pull_secret:
        secret = f"wasmpack render secret {reference.registry}"
        hint = f"{hint}, to judge it; imagePullSecret, which is not set, for the mesh: {secret}"
    return plugin.problem(IMAGE_UNSEEN, "url", message, hint)
