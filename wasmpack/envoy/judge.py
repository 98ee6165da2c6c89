"""A real Envoy's verdict on a module: it runs the whole load sequence and serves one request."""

from dataclasses import dataclass
from pathlib import Path

from wasmpack.dry_run.start_up import StartUp
from wasmpack.envoy.binary import envoy_version, find_envoy
from wasmpack.envoy.bootstrap import Plugin
from wasmpack.envoy.plain import BODY, Ended
from wasmpack.envoy.process import EnvoyRefused
from wasmpack.envoy.proxy import Chain, Plan, running_proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyVerdict:
    """One Envoy's verdict, with its own messages."""

    version: str
    accepts: bool
    crashed: bool
    """It died of a signal: the module takes the whole proxy down."""
    words: tuple[str, ...]
    at_request: bool = False
    """It loads the module, and refuses or crashes with the first request."""
    ended: Ended | None = None
    """How the first request ended, if Envoy survived it."""


def ask_envoy(
    module: bytes, start_up: StartUp | None = None, *, binary: Path | None = None
) -> EnvoyVerdict:
    """Let Envoy load a module and serve the dry run's request, or connection.

    Envoy has the budgets of the dry run, and nothing of our environment.

    :param start_up: what the plugin is given; configurations are handed over as text
    :raises NotFound: Envoy is not installed
    :raises WasmpackError: the binary cannot be run
    :raises Starved: it hardly ever got its turn
    """
    start_up, binary = start_up or StartUp(), find_envoy(binary)
    version = envoy_version(binary)
    chain = Chain(plugins=[plugin_of(module, start_up)], answer=BODY)
    loaded = False
    try:
        with running_proxy(Plan(chains=[chain], envoy=binary, cpu=start_up.seconds)) as proxy:
            loaded = bool(proxy.port())
            ended = proxy.ask_plain()
    except EnvoyRefused as refused:
        return EnvoyVerdict(
            version=version,
            accepts=False,
            crashed=refused.crashed,
            words=refused.words,
            at_request=loaded,
        )
    return EnvoyVerdict(version=version, accepts=True, crashed=False, words=(), ended=ended)


def plugin_of(module: bytes, start_up: StartUp) -> Plugin:
    """The plugin that a proxy is given for a start-up."""
    return Plugin(
        module=module,
        configuration=_text(start_up.plugin_config),
        vm_configuration=_text(start_up.vm_config),
        env=dict(start_up.env),
        root_id=start_up.root_id,
        network=bool(start_up.network),
    )


def _text(configuration: bytes | None) -> str | None:
    return None if configuration is None else configuration.decode(errors="replace")
