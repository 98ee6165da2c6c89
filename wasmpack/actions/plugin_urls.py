"""The modules behind http(s) URLs that the resources of some files name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from wasmpack.actions.validate import Checks, module_verdicts
from wasmpack.dry_run.start_up import StartUp
from wasmpack.errors import RegistryUnavailable, WasmpackError
from wasmpack.fetchers.http import module_of
from wasmpack.fetchers.refusal import Refused
from wasmpack.findings import Problem, Rule
from wasmpack.mesh.url import MeshUrl
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.session import Session
from wasmpack.targets import Target

MODULE_REFUSED = Rule(
    code="WPL025",
    title="a URL from which the mesh's fetcher gets no module",
    cause="an error of the server, a web page, another digest; its own text is quoted",
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

    def look(
        self, url: MeshUrl, checksum: str, start_up: StartUp
    ) -> Verdicts | Refused | WasmpackError:
        """The problems of the module, why the fetcher refuses it, or why it cannot be asked for."""
        return self._look(url, checksum, start_up)

    def _look_at(
        self, url: MeshUrl, checksum: str, start_up: StartUp
    ) -> Verdicts | Refused | WasmpackError:
        from wasmpack.stores.http import download

        try:
            got = download(url.text, self._session.registry)
            data = module_of(got.status, got.body, checksum, url.shown)
        except (Refused, WasmpackError) as error:
            return error.with_traceback(None)
        module = PluginModule(data, url.shown)
        try:
            return module_verdicts(module, replace(self._checks, start_up=start_up), self._targets)
        except RegistryUnavailable as error:
            return error.with_traceback(None)
