"""The modules behind http(s) URLs that the resources of some files name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from wasmpack.actions.checks import Checks
from wasmpack.actions.mesh_trust import trust_problems
from wasmpack.actions.plugin_images import IMAGE_UNSEEN
from wasmpack.actions.validate import module_verdicts
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import RegistryUnavailable, WasmpackError
from wasmpack.fetchers.http import NotServed, fetched_module
from wasmpack.fetchers.refusal import Refused
from wasmpack.findings import Problem, Rule
from wasmpack.mesh.plugin import Plugin
from wasmpack.mesh.url import MeshUrl
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.session import Session
from wasmpack.targets import Target

MODULE_REFUSED = Rule(
    code="WPL025",
    title="a URL from which the mesh's fetcher gets no module",
    cause="a status such as 404 or 401, redirects without end, a web page, another digest; its own "
    "text is quoted",
    consumer="Istio, Envoy Gateway, Higress",
    example="url: https://github.com/me/plugin/blob/main/plugin.wasm",
    fix="the URL of the module itself, and the digest of the unpacked module",
)
Verdicts = Mapping[str, Sequence[Problem]]
"""Problems of a module by target."""
_REMEMBERED = 16
"""Modules whose outcome is kept."""


class PluginUrls:
    """Modules as the mesh would fetch them, started as each resource says."""

    def __init__(self, targets: Sequence[Target], checks: Checks, session: Session) -> None:
        self._targets = targets
        self._checks = checks
        self._session = session
        self._look = lru_cache(maxsize=_REMEMBERED)(self._look_at)

    def problems(
        self, plugin: Plugin, url: MeshUrl, start_up: StartUp, *, may_come: bool = False
    ) -> tuple[list[Problem], Verdicts]:
        """Those of every target, and those of each.

        :param may_come: a module that is not there yet is not an error
        """
        found = self.look(url, plugin.text("sha256"), start_up)
        if isinstance(found, Refused):
            unseen = may_come and isinstance(found, NotServed)
            rule = IMAGE_UNSEEN if unseen else MODULE_REFUSED
            return [plugin.problem(rule, found.where, found.said, str(found.hint))], {}
        if isinstance(found, WasmpackError):
            message = (
                f"the module could not be fetched from here, so it is not judged: {found.message}"
            )
            hint = found.hint or "--no-image leaves it out"
            return [plugin.problem(IMAGE_UNSEEN, "url", message, hint)], {}
        if url.scheme != "https":
            return [], found
        return trust_problems(plugin, url.host, self._session.registry), found

    def look(
        self, url: MeshUrl, checksum: str, start_up: StartUp
    ) -> Verdicts | Refused | WasmpackError:
        """The problems of the module, why the fetcher refuses it, or why it cannot be asked for."""
        return self._look(url, checksum, start_up)

    def _look_at(
        self, url: MeshUrl, checksum: str, start_up: StartUp
    ) -> Verdicts | Refused | WasmpackError:
        try:
            data = fetched_module(url.text, self._session.registry, checksum, url.shown)
        except (Refused, WasmpackError) as error:
            return error.with_traceback(None)
        module = PluginModule(data, url.shown)
        try:
            return module_verdicts(module, replace(self._checks, start_up=start_up), self._targets)
        except RegistryUnavailable as error:
            return error.with_traceback(None)
