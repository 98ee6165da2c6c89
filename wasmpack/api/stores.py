"""Public functions on the local store, and on what registries know by themselves."""

from collections.abc import Sequence

from wasmpack.actions import local as _local
from wasmpack.actions import login as _login
from wasmpack.actions import tags as _tags
from wasmpack.actions.local import LocalImage
from wasmpack.api.images import as_reference
from wasmpack.oci.descriptor import Digest
from wasmpack.oci.reference import Reference, RegistryName
from wasmpack.stores.session import Session


def list_images() -> list[LocalImage]:
    """The images of the local store, sorted by name.

    >>> pulled = wasmpack.pull("quay.io/me/plugin:v1")
    >>> [(row.name, row.variant) for row in wasmpack.list_images()]
    [('quay.io/me/plugin:v1', 'oci')]
    """
    return _local.list_local()


def tag_image(image: str | Reference, name: str | Reference) -> Digest:
    """Give an image of the local store another name; a tag that exists moves.

    >>> pulled = wasmpack.pull("quay.io/me/plugin:v1")
    >>> wasmpack.tag_image("quay.io/me/plugin:v1", "plugin:stable") == pulled.digest
    True

    :raises NotFound: no such image
    """
    return _local.tag_local(as_reference(image), as_reference(name))


def remove_images(names: Sequence[str | Reference]) -> list[tuple[Reference, Digest]]:
    """Remove images from the local store, and what only they needed.

    A name without a tag means all tags of its repository; ``*`` stands for any characters, and a
    digest for all names of that image.

    >>> pulled = wasmpack.pull("quay.io/me/plugin:v1")
    >>> [str(name) for name, _ in wasmpack.remove_images(["quay.io/me/plugin:v1"])]
    ['quay.io/me/plugin:v1']

    :raises NotFound: one of them is not there; none is removed then
    """
    return _local.remove_local([str(name) for name in names])


def prune() -> tuple[int, int]:
    """Delete what the local store no longer needs, and the caches; return how many files and bytes.

    >>> pulled = wasmpack.pull("quay.io/me/plugin:v1")
    >>> files, size = wasmpack.prune()
    >>> len(wasmpack.list_images())
    1
    """
    return _local.prune_local()


def list_tags(repository: str | Reference, session: Session | None = None) -> list[str]:
    """The tags of a repository in its registry, sorted.

    >>> "v1" in wasmpack.list_tags("quay.io/me/plugin")
    True

    :raises NotFound: no such repository
    """
    return _tags.list_tags(as_reference(repository), session)


def login(registry: str, username: str, password: str, session: Session | None = None) -> str:
    """Try credentials at a registry and keep them where Docker does; return where.

    >>> place = wasmpack.login("quay.io", "me", "secret")
    >>> wasmpack.logout("quay.io"), wasmpack.logout("quay.io")
    (True, False)

    :raises AccessRefused: the registry refuses them; nothing is kept
    """
    name = RegistryName.parse(registry)
    used = (session or Session()).with_login(name.registry, username, password)
    return _login.log_in(name, used)


def logout(registry: str, session: Session | None = None) -> bool:
    """Remove the stored credentials for a registry; return whether there were any.

    >>> wasmpack.logout("quay.io")
    False
    """
    return _login.log_out(RegistryName.parse(registry), session or Session())
