"""``--remote``: ask the registry, whatever the local store holds."""

from dataclasses import replace

from wasmpack.errors import WrongUsage
from wasmpack.oci.place import NamePlace, Place


def asked(image: Place, *, remote: bool) -> Place:
    """The place to look at.

    :raises WrongUsage: ``--remote`` with something that is no name
    """
    if not remote:
        return image
    if not isinstance(image, NamePlace):
        raise WrongUsage(f"--remote goes with an image name, not with {image}")
    return replace(image, remote=True)


def is_pinned(image: Place) -> bool:
    """Whether the user gave a digest."""
    return isinstance(image, NamePlace) and image.reference.digest is not None
