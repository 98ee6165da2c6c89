"""The tags of a repository, the repositories of a registry, and images deleted there."""

from wasmpack.errors import NotFound
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.reference import Reference, RegistryName
from wasmpack.stores.session import Session


def list_tags(repository: Reference, session: Session | None = None) -> list[str]:
    """The tags of a repository in its registry, sorted.

    :raises NotFound: no such repository
    """
    from wasmpack.stores.registry.client import RegistryClient

    session = session or Session()
    return sorted(RegistryClient(repository, session.registry, notice=session.notice).tags())


def list_repositories(registry: RegistryName, session: Session) -> list[str]:
    """The repositories of a registry, sorted.

    :raises NotFound: it does not list them
    """
    from wasmpack.stores.registry.ping import list_repositories as listed

    return sorted(listed(registry, session.registry, session.notice))


def find_remote(image: Reference, session: Session) -> Digest:
    """The digest of an image in its registry.

    :raises NotFound: no such image
    """
    from wasmpack.stores.registry.client import RegistryClient

    if image.digest is not None:
        return image.digest
    client = RegistryClient(image, session.registry, notice=session.notice)
    digest = client.manifest_digest(image.with_default_tag().target)
    if digest is None:
        raise NotFound(f"{image}: no such image", hint=f"wasmpack tags {image.name}")
    return digest


def delete_image(image: Reference, digest: Digest, session: Session) -> None:
    """Delete a manifest from its registry, and so every tag that names it.

    :raises NotFound: no such image
    :raises RegistryUnavailable: the registry does not allow it
    """
    from wasmpack.stores.registry.client import RegistryClient

    client = RegistryClient(image, session.registry, "pull,delete", notice=session.notice)
    client.delete(digest)
