"""A running proxy: chains of plugins, each with its own port and upstream.

>>> with running_proxy([Plugin(module=wasm, configuration="{}")]) as proxy:   # doctest: +SKIP
...     proxy.get("/hello").header("x-wat")
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from wasmpack.dry_run.budget import Budget
from wasmpack.envoy.binary import find_envoy
from wasmpack.envoy.bootstrap import Plugin, answering, cluster, forwarding
from wasmpack.envoy.client import Patience, answered, delivered, exchanged, sent_back
from wasmpack.envoy.http1 import request_bytes
from wasmpack.envoy.log import ENVOY, envoy_errors, vm_failures
from wasmpack.envoy.messages import Exchange, Headers, LogLine, Request, Response, joined
from wasmpack.envoy.plain import BODY, DELIVERED, PLAIN, Ended
from wasmpack.envoy.process import EnvoyProcess, EnvoyRefused
from wasmpack.envoy.upstream import Behaviour, Upstream, echo
from wasmpack.oci.canonical import JsonObject

Message = TypeVar("Message")
_BARRIER = "barrier"
_SILENCE = 3.0
"""Seconds without a byte from an idle proxy, after which a plain request is held."""
_LONGEST_SILENCE = 60.0
"""The same by the clock, where the system does not say if it is idle."""
_AGENT = (("user-agent", "wasmpack"), ("accept", "*/*"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Plugins in the order in which they see a request, and what is behind them."""

    plugins: Sequence[Plugin]
    upstream: Behaviour = echo
    answer: str | None = None
    """The body of the listener's own response to each request; None: the upstream answers."""

    @property
    def connections(self) -> bool:
        """Network plugins alone: it gets connections, and not requests."""
        return bool(self.plugins) and all(plugin.network for plugin in self.plugins)

    def logged(self, line: LogLine) -> bool:
        """True if one of these plugins logged a line, or Envoy itself.

        Of a worker's root context Envoy names the VM alone.
        """
        own = {name for plugin in self.plugins for name in (plugin.context, plugin.vm_id)}
        return line.context in {ENVOY, *own}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Chains and servers of a proxy, and how it is started."""

    chains: Sequence[Chain]
    services: Mapping[str, Behaviour] = field(default_factory=dict)
    """Servers that plugins call, by the names of their clusters."""
    log_level: str = "info"
    """From which on lines of plugins are kept."""
    cpu: float | None = None
    """Seconds that raise the budget for loading the plugins."""
    port: int = 0
    """Loopback port of the first chain; 0: a free one."""
    envoy: Path | None = None
    """The binary; None: the one that is found."""


class Proxy:
    """An Envoy that serves chains of plugins on loopback ports."""

    def __init__(self, process: EnvoyProcess, chains: Sequence[Chain], servers: "_Servers") -> None:
        self._process = process
        self._chains = chains
        self._servers = servers
        ports, self._refusals = process.ports(), process.refusals()
        self._barrier = ports.pop(_BARRIER)
        self._ports = {int(name): port for name, port in ports.items()}

    @property
    def network(self) -> bool:
        """True if the first chain gets connections."""
        return self._chains[0].connections

    def port(self, chain: int = 0) -> int:
        """The loopback port of a chain.

        :raises EnvoyRefused: Envoy does not load it
        """
        if chain not in self._ports:
            words = envoy_errors(self._process.log.lines)
            reason = self._refusals.get(str(chain), "the listener did not come up")
            raise EnvoyRefused("Envoy refuses the plugin", words or [reason])
        return self._ports[chain]

    @property
    def log(self) -> list[LogLine]:
        """All lines of plugins so far, and those of Envoy about plugins."""
        self._process.log.read()
        return self._process.log.lines

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None) -> Response:
        """Send a GET request through the first chain.

        :raises EnvoyRefused: it does not load, or died of it
        """
        return self.ask(Request(path=path, headers=tuple((headers or {}).items()))).response

    def ask(self, request: Request, chain: int = 0, *, asleep: float = 0.0) -> Exchange:
        """Send a request through a chain.

        :param asleep: seconds that the upstream takes to answer
        :raises EnvoyRefused: the chain does not load, or Envoy died of the request
        :raises ConnectionError: the connection ended without a response
        """
        (found,) = self.ask_together(request, 1, chain, asleep=asleep)
        if isinstance(found, OSError):
            raise found
        return found

    def ask_together(
        self, request: Request, count: int, chain: int = 0, *, asleep: float = 0.0
    ) -> list[Exchange | OSError]:
        """Send a request so often at the same time.

        The upstream does not know who sent what reaches it: the exchanges get that in its order.

        :param asleep: seconds that the upstream takes to answer
        :returns: for each, an exchange or the reason why there was no response
        :raises EnvoyRefused: the chain does not load, or Envoy died of the requests
        """
        port, upstream = self.port(chain), self._servers.upstreams[chain]
        upstream.take()
        mark = len(self._process.log.lines)
        network = self._chains[chain].connections
        sent, send = _completed(request, port), exchanged
        if network:
            sent, send = Request(body=request.body), sent_back
        serving = "a connection" if network else "a request"
        with ThreadPoolExecutor(count) as pool:
            tries = [pool.submit(send, sent, port) for _ in range(count)]
            with contextlib.suppress(OSError), self._process.watched(asleep, serving=serving):
                wait(tries)
                for each in tries:
                    each.result()
                self.settle()
        reached, answered = upstream.take()
        lines = tuple(line for line in self.log[mark:] if self._chains[chain].logged(line))
        return [
            error
            if isinstance(error := each.exception(), OSError)
            else Exchange(
                sent=sent,
                reached=_share(reached, number, count),
                answered=_share(answered, number, count),
                response=each.result(),
                log=lines,
                network=network,
            )
            for number, each in enumerate(tries)
        ]

    def ask_plain(self, chain: int = 0) -> Ended:
        """Send the dry run's request, or connection, through a chain; a held one is given up.

        :raises EnvoyRefused: the chain does not load, or Envoy died of it
        """
        port, network = self.port(chain), self._chains[chain].connections
        mark = len(self.log)
        patience = Patience(_SILENCE, self._process.busy, _LONGEST_SILENCE)
        status, held = None, False
        with contextlib.suppress(ConnectionError), self._process.watched():
            try:
                if not network:
                    status = answered(request_bytes(PLAIN), port, patience=patience).status
                elif delivered(BODY.encode(), port, patience):
                    status = DELIVERED
            except TimeoutError:
                held = True
        self.settle()
        failed = tuple(vm_failures(self.log[mark:]))
        return Ended(status=status, held=held, failed=failed, network=network)

    def settle(self) -> None:
        """Let everything that a response has caused in Envoy happen: its one worker thread answers
        this request after it.

        :raises EnvoyRefused: it ended
        """
        with self._process.watched():
            exchanged(_completed(Request(), self._barrier), self._barrier)

    def check(self) -> None:
        """:raises EnvoyRefused: it ended"""
        self._process.check()

    def stats(self) -> dict[str, int]:
        """Envoy's counters and gauges, those of plugins among them (``wasmcustom.NAME``)."""
        return self._process.stats()

    def take_calls(self, service: str) -> tuple[Request, ...]:
        """Requests to a service since this was called before."""
        return self._servers.services[service].take()[0]


@contextlib.contextmanager
def running_proxy(plan: Plan | Sequence[Plugin], *, envoy: Path | None = None) -> Iterator[Proxy]:
    """Start Envoy; it is stopped, and its files and ports are gone, when the block ends.

    :param plan: or the plugins of its one chain
    :raises NotFound: Envoy is not installed
    :raises EnvoyRefused: it ends while it loads the plugins; chains that it refuses are reported
        when they are used
    """
    if not isinstance(plan, Plan):
        plan = Plan(chains=[Chain(plugins=plan)], envoy=envoy)
    binary = find_envoy(plan.envoy)
    with _Servers.of(plan) as servers:
        listeners = [
            _listener(chain, number, 0 if number else plan.port)
            for number, chain in enumerate(plan.chains)
        ]
        listeners.append(answering((), name=_BARRIER, body="", status=204))
        modules = {plugin.file: plugin for chain in plan.chains for plugin in chain.plugins}
        given = {name: plugin.module for name, plugin in modules.items()}
        with EnvoyProcess(
            listeners,
            [cluster(name, port) for name, port in servers.ports()],
            binary=binary,
            budget=Budget.of(sum(plugin.size for plugin in modules.values()), plan.cpu),
            files={name: data for name, data in given.items() if isinstance(data, bytes)},
            log_level=plan.log_level,
        ) as process:
            yield Proxy(process, plan.chains, servers)


class _Servers(contextlib.ExitStack):
    """The upstreams of the chains, and the services."""

    upstreams: list[Upstream]
    services: dict[str, Upstream]

    @classmethod
    def of(cls, plan: Plan) -> "_Servers":
        made = cls()
        made.upstreams = [
            made.enter_context(Upstream(chain.upstream, raw=chain.connections))
            for chain in plan.chains
        ]
        made.services = {
            name: made.enter_context(Upstream(behaviour))
            for name, behaviour in plan.services.items()
        }
        return made

    def ports(self) -> Iterator[tuple[str, int]]:
        """Names of clusters, and their ports."""
        for number, upstream in enumerate(self.upstreams):
            yield _upstream(number), upstream.port
        for name, service in self.services.items():
            yield name, service.port


def _listener(chain: Chain, number: int, port: int) -> JsonObject:
    if chain.answer is not None and not chain.connections:
        return answering(chain.plugins, name=str(number), body=chain.answer)
    return forwarding(chain.plugins, name=str(number), cluster=_upstream(number), port=port)


def _upstream(number: int) -> str:
    return f"upstream-{number}"


def _completed(request: Request, port: int) -> Request:
    """With the headers that any client sends."""
    host = (("host", f"127.0.0.1:{port}"),)
    more: Headers = tuple(
        pair for pair in (*host, *_AGENT) if joined(request.headers, pair[0]) is None
    )
    return replace(request, headers=(*more, *request.headers))


def _share(messages: tuple[Message, ...], number: int, count: int) -> tuple[Message, ...]:
    """One each, and the last gets those that are left."""
    return messages[number:] if number == count - 1 else messages[number : number + 1]
