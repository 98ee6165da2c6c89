"""Real registries for the tests, in a container or as a process.

>>> with start_registry("htpasswd", workdir) as registry:
...     requests.get(f"http://{registry.host}/v2/", auth=(registry.username, registry.password))

The pytest fixtures are in `support.registries.fixtures`; recipe and configuration are in the
folder `registry-fixtures` at the top of the repository.
"""

from support.registries.model import Backend, Kind, RegistryUnavailable, RunningRegistry
from support.registries.start import TokenRegistry, start_registry, start_token_registry
from support.registries.token_server import TokenRequest, TokenServer

__all__ = [
    "Backend",
    "Kind",
    "RegistryUnavailable",
    "RunningRegistry",
    "TokenRegistry",
    "TokenRequest",
    "TokenServer",
    "start_registry",
    "start_token_registry",
]
