"""A real Envoy: find, configure, start, query and stop it.

>>> with running_envoy([Plugin(module=wasm, configuration="{}")]) as envoy:   # doctest: +SKIP
...     envoy.get("/").headers

The binary comes from the optional extra ``wasmpack[envoy]`` or from the PATH; nothing here loads
before it is used.
"""

from wasmpack.envoy.binary import envoy_version, find_envoy
from wasmpack.envoy.bootstrap import Plugin
from wasmpack.envoy.judge import EnvoyVerdict, ask_envoy
from wasmpack.envoy.server import EnvoyRefused, Response, RunningEnvoy, running_envoy

__all__ = [
    "EnvoyRefused",
    "EnvoyVerdict",
    "Plugin",
    "Response",
    "RunningEnvoy",
    "ask_envoy",
    "envoy_version",
    "find_envoy",
    "running_envoy",
]
