"""Plugins in a real Envoy: loaded as a mesh loads them, or the reason why not."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wasmpack.actions.checks import Checks
from wasmpack.actions.plugin_chain import ChainedPlugin, ChainRequest, plugin_chain
from wasmpack.actions.validate import validate_module
from wasmpack.envoy import Chain, EnvoyRefused, Exchange, Plan, Proxy, running_proxy
from wasmpack.envoy.changes import request_changes, response_changes
from wasmpack.envoy.upstream import Relay, echo
from wasmpack.errors import BadArtifact, WrongUsage
from wasmpack.findings import Finding, Severity
from wasmpack.module_rules.step_ends import BEYOND_BOUNDS
from wasmpack.stores.session import Session
from wasmpack.targets import default_targets

_BEYOND_BOUNDS = (
    "look for an endless loop, a wait or too much memory; wasmpack validate --dry-run-timeout "
    "SECONDS tries it with more CPU time, here it is fixed"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Plugins to run, and the server behind them."""

    chain: ChainRequest
    upstream: str = ""
    """URL of the server behind the proxy; empty: one that shows what reached it."""
    log_level: str = "info"
    """From which on lines of the plugins are kept."""
    port: int = 0
    """Loopback port; 0: a free one."""
    envoy: Path | None = None
    """The binary; None: the one that is found."""
    bytes_alone: bool = False
    """Bytes are sent without a request: for network plugins only."""

    def plan(self, plugins: Sequence[ChainedPlugin]) -> Plan:
        """:raises WrongUsage: not the URL of a server; bytes alone for HTTP plugins"""
        behaviour = Relay.to(self.upstream) if self.upstream else echo
        chain = Chain(plugins=[each.for_envoy() for each in plugins], upstream=behaviour)
        if self.bytes_alone and not chain.connections:
            raise WrongUsage("-d and --data-file need --request, but for network plugins")
        return Plan(
            chains=[chain],
            log_level=self.log_level,
            port=self.port,
            cpu=self.chain.start_up.seconds,
            envoy=self.envoy,
        )


@contextlib.contextmanager
def running_plugins(request: RunRequest, session: Session | None = None) -> Iterator[Proxy]:
    """Start Envoy with the plugins; it ends when the block does.

    :raises NotFound, BadArtifact: a plugin cannot be read
    :raises BadArtifact: Envoy refuses a plugin, or it crashed or hung Envoy
    """
    plugins = plugin_chain(request.chain, session)
    plan = request.plan(plugins)
    try:
        with running_proxy(plan) as proxy:
            proxy.port()
            yield proxy
    except EnvoyRefused as refused:
        raise explained(refused, plugins) from refused


def explained(refused: EnvoyRefused, plugins: Sequence[ChainedPlugin]) -> BadArtifact:
    """Envoy's reason, with that of our rules as the hint."""
    for plugin in plugins:
        found = _reason(plugin)
        if found is not None:
            fix = _BEYOND_BOUNDS if found.rule is BEYOND_BOUNDS else found.hint
            hint = f"{found.message}: {fix}" if fix else found.message
            return BadArtifact(refused.message, hint=f"{hint} (wasmpack explain {found.code})")
    return BadArtifact(refused.message, hint=refused.hint)


def _reason(plugin: ChainedPlugin) -> Finding | None:
    """The worst finding on a plugin that is started so."""
    newest = [target.name for target in default_targets() if target.consumer == "envoy"][-1]
    given = replace(plugin.start_up, plugin_config=plugin.start_up.plugin_config or b"")
    report = validate_module(plugin.module, Checks(targets=[newest], start_up=given))
    serious = [one for one in report.findings if one.severity is not Severity.INFO]
    return min(serious, key=lambda one: list(Severity).index(one.severity), default=None)


def exchange_json(exchange: Exchange) -> dict[str, object]:
    """The contract's shape of one request."""
    reached, answered, network = exchange.reached, exchange.answered, exchange.network
    return {
        "request": exchange.sent.parts_json() if network else exchange.sent.as_json(),
        "upstreamRequest": reached[0].as_json() if reached else None,
        "upstreamResponse": answered[0].as_json() if answered else None,
        "response": exchange.response.parts_json() if network else exchange.response.as_json(),
        "changes": {
            "request": [change.as_json() for change in request_changes(exchange)],
            "response": [change.as_json() for change in response_changes(exchange)],
        },
        "log": [line.as_json() for line in exchange.log],
    }
