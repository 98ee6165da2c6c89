"""The tags of a repository."""

from wasmpack.oci.reference import Reference
from wasmpack.stores.session import Session


def list_tags(repository: Reference, session: Session | None = None) -> list[str]:
    """The tags of a repository in its registry, sorted.

    :raises NotFound: no such repository
    """
    from wasmpack.stores.registry.client import RegistryClient

    session = session or Session()
    return sorted(RegistryClient(repository, session.registry, notice=session.notice).tags())
