"""A registry as a whole: the credentials that it takes, the repositories that it has."""

from collections.abc import Sequence

from wasmpack.errors import NotFound, Notice, WasmpackError
from wasmpack.oci.reference import RegistryName
from wasmpack.stores.registry.errors import Answer, refusal
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.pages import Listing
from wasmpack.stores.registry.transport import Transport


def show_credentials(name: RegistryName, options: RegistryOptions, notice: Notice) -> str:
    """Show the credentials to the registry (``GET /v2/``); returns its challenge, if it had one.

    :raises AccessRefused: it does not take them
    """
    transport = Transport(name, options, "pull", notice=notice)
    transport.request("GET", "/v2/", f"log in to {name.registry}", {200})
    return transport.challenge


def list_repositories(
    name: RegistryName, options: RegistryOptions, notice: Notice
) -> Sequence[str]:
    """All repositories, where the registry lists them (Docker's ``_catalog``).

    :raises NotFound: it has no such list
    """
    transport = Transport(name, options, "pull", notice=notice)
    what = f"list the repositories of {name.registry}"
    listing = Listing(transport, what, "repositories")
    return [listing.text(row) for row in listing.rows("/v2/_catalog", {200}, refused=_no_catalog)]


def _no_catalog(answer: Answer, what: str, hint: str = "") -> WasmpackError:
    if answer.status not in {400, 404, 405, 501}:
        return refusal(answer, what, hint)
    found = refusal(answer, what)
    return NotFound(found.message, hint="this registry lists none: wasmpack tags REPOSITORY")
