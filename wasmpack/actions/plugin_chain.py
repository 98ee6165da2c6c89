"""The plugins that a user names, as a mesh hands them to its proxy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from wasmpack.actions.plugin_images import checksum_problems
from wasmpack.actions.resource_problems import start_up_of
from wasmpack.actions.resources import nothing_to_validate, resources, sorted_out
from wasmpack.actions.subjects import Subject, SubjectKind, recognize
from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy import Plugin
from wasmpack.envoy.judge import plugin_of
from wasmpack.errors import BadArtifact, NotFound, WrongUsage
from wasmpack.fetchers import http
from wasmpack.fetchers.fetch import fetch
from wasmpack.fetchers.refusal import Refused
from wasmpack.images.image import Image
from wasmpack.images.opening import open_image
from wasmpack.mesh.apis import CARRIERS
from wasmpack.mesh.order import mesh_order
from wasmpack.mesh.plugin import Plugin as Resource
from wasmpack.mesh.plugin import mapping
from wasmpack.mesh.url import MeshUrl
from wasmpack.module_rules.plugin_type import is_network
from wasmpack.oci.place import NamePlace
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.session import Session
from wasmpack.targets import ImageRules, default_targets
from wasmpack.wasm.cursor import MalformedModule

_LAST = mesh_order("", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedPlugin:
    """A plugin of a chain, and where it is in it."""

    name: str
    """As the mesh names it."""
    module: PluginModule
    start_up: StartUp
    fail_strategy: str = ""
    place: tuple[int, int] = _LAST
    """Sorts it among the others (:func:`mesh_order`)."""

    def for_envoy(self, vm_id: str = "") -> Plugin:
        """The plugin that Envoy is given.

        :param vm_id: tells VMs of the same module apart, which share state otherwise
        """
        made = plugin_of(self.module.data, self.start_up)
        return replace(made, name=self.name, fail_strategy=self.fail_strategy, vm_id=vm_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRequest:
    """The plugins that a chain is made of, and what they are started with."""

    subjects: Sequence[str]
    """Modules, images and files of WasmPlugins."""
    start_up: StartUp = field(default_factory=StartUp)
    """Goes before what resources say."""
    fail_strategy: str = ""
    """Goes before what resources say."""
    remote: bool = False
    """Read from registries only, not from the local store."""
    base: Path = Path()
    """The directory that relative file names start from."""


def plugin_chain(request: ChainRequest, session: Session | None = None) -> list[ChainedPlugin]:
    """The plugins in the order in which a request meets them in a mesh.

    :raises NotFound, BadArtifact: a plugin cannot be read
    :raises WrongUsage: one start-up for several plugins
    """
    found: list[ChainedPlugin] = []
    for name in request.subjects:
        found += _plugins_of(_subject(name, request), request, session or Session())
    if len(found) > 1 and request.start_up.configured:
        raise WrongUsage(
            "one configuration for several plugins",
            hint="write it into WasmPlugin resources, one for each",
        )
    return sorted(found, key=lambda each: each.place)


def _subject(name: str, request: ChainRequest) -> Subject:
    path = request.base / Path(name).expanduser()
    return recognize(str(path) if path.exists() else name, remote=request.remote)


def _plugins_of(
    subject: Subject, request: ChainRequest, session: Session
) -> Iterator[ChainedPlugin]:
    if subject.kind is SubjectKind.RESOURCES:
        yield from _of_resources(subject, request, session)
        return
    if subject.kind is SubjectKind.MODULE:
        module = subject.module
    elif subject.kind is SubjectKind.IMAGE:
        module = fetched_module(subject.image(session))
    else:
        raise WrongUsage(f"{subject.name}: {subject.what}, but plugins are run")
    given = request.start_up
    if given.network is None:
        given = replace(given, network=_is_network(module))
    yield ChainedPlugin(
        name=Path(subject.name.partition("@")[0]).name.partition(":")[0] or "plugin",
        module=module,
        start_up=given,
        fail_strategy=request.fail_strategy,
    )


def _is_network(module: PluginModule) -> bool:
    try:
        return is_network(module.declarations)
    except MalformedModule:
        return False  # Envoy says what is wrong with it


def _of_resources(
    subject: Subject, request: ChainRequest, session: Session
) -> Iterator[ChainedPlugin]:
    documents, unreadable = subject.documents
    for problem in unreadable:
        raise BadArtifact(f"{problem.where}: {problem.message}", hint=str(problem.hint))
    items = [item for document in documents for item in resources(document)]
    carriers = [item for item in items if mapping(item.value).get("kind") in CARRIERS]
    if not carriers:
        raise nothing_to_validate(items, subject.name)
    problems, plugins = sorted_out(carriers)
    for problem in problems:
        raise BadArtifact(f"{problem.where}: {problem.message}", hint=str(problem.hint))
    for plugin in plugins:
        named = [plugin.namespace, plugin.name]
        yield ChainedPlugin(
            name=".".join(filter(None, named)) or "plugin",
            module=_module_of(plugin, request, session),
            start_up=start_up_of(plugin, request.start_up),
            fail_strategy=request.fail_strategy or plugin.text("failStrategy"),
            place=mesh_order(plugin.text("phase"), plugin.fields.get("priority")),
        )


def _module_of(plugin: Resource, request: ChainRequest, session: Session) -> PluginModule:
    """The module behind the URL of a resource."""
    url = MeshUrl.parse(plugin.text("url"))
    if url.reference is not None:
        place = NamePlace(url.reference, remote=request.remote)
        image = open_image(place, session)
        for problem in checksum_problems(plugin, url, image):
            raise BadArtifact(f"{problem.where}: {problem.message}", hint=str(problem.hint))
        return fetched_module(image)
    if url.scheme == "file":
        return _module_in_file(Path(url.path), request)
    if not url.fetched:
        where = plugin.document.where(plugin.path("url"))
        raise BadArtifact(f"{where}: {url.shown}: not the URL of an image or a module")
    return _downloaded(url, plugin.text("sha256"), session)


def _module_in_file(path: Path, request: ChainRequest) -> PluginModule:
    """The module of a ``file://`` URL, which is a file of the proxy, and here of this machine."""
    own = request.base / path.name
    for candidate in (path, own):
        if candidate.is_file():
            return PluginModule(candidate.read_bytes(), str(candidate))
    raise NotFound(f"{path}: no such file here, and no {own} either")


def _downloaded(url: MeshUrl, checksum: str, session: Session) -> PluginModule:
    try:
        data = http.fetched_module(url.text, session.registry, checksum, url.shown)
        return PluginModule(data, url.shown)
    except Refused as refused:
        message = f"{url.shown}: {refused.said}"
        raise BadArtifact(message, hint=str(refused.hint)) from refused


def fetched_module(image: Image) -> PluginModule:
    """The module that the newest Istio gets out of an image.

    :raises BadArtifact: it gets none
    """
    fetched = fetch(image.top, image.get, image.layers, _newest_rules(), pinned=image.pinned)
    if fetched.module is None:
        (problem,) = fetched.problems
        hint = problem.about(image.reference).hint
        raise BadArtifact(f"{image.reference}: {problem.message}", hint=str(hint))
    return PluginModule(fetched.module, image.reference)


def _newest_rules() -> ImageRules:
    rules = [target.image for target in default_targets() if target.consumer == "istio"][-1]
    assert rules is not None
    return rules
