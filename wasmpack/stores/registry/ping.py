"""A registry as a whole: does it take our credentials?"""

from wasmpack.errors import Notice
from wasmpack.oci.reference import RegistryName
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.transport import Transport


def show_credentials(name: RegistryName, options: RegistryOptions, notice: Notice) -> str:
    """Show the credentials to the registry (``GET /v2/``); returns its challenge, if it had one.

    :raises AccessRefused: it does not take them
    """
    transport = Transport(name, options, "pull", notice=notice)
    transport.request("GET", "/v2/", f"log in to {name.registry}", {200})
    return transport.challenge
