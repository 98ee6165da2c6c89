"""A real Envoy: find, configure, start, query and stop it.

>>> with running_proxy([Plugin(module=wasm, configuration="{}")]) as proxy:   # doctest: +SKIP
...     proxy.get("/").headers

The binary comes from the optional extra ``wasmpack[envoy]`` or from the PATH; nothing here loads
before it is used.
"""

from wasmpack.envoy.binary import envoy_version, find_envoy
from wasmpack.envoy.bootstrap import Plugin
from wasmpack.envoy.judge import EnvoyVerdict, ask_envoy
from wasmpack.envoy.messages import Exchange, LogLine, Request, Response
from wasmpack.envoy.plain import Ended
from wasmpack.envoy.process import EnvoyRefused
from wasmpack.envoy.proxy import Chain, Plan, Proxy, running_proxy
from wasmpack.envoy.upstream import Answer, always

__all__ = [
    "Answer",
    "Chain",
    "Ended",
    "EnvoyRefused",
    "EnvoyVerdict",
    "Exchange",
    "LogLine",
    "Plan",
    "Plugin",
    "Proxy",
    "Request",
    "Response",
    "always",
    "ask_envoy",
    "envoy_version",
    "find_envoy",
    "running_proxy",
]
