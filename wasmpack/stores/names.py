"""The names by which the images of a layout or an archive go.

>>> is_called("docker.io/library/plugin:v1", "plugin:v1"), is_called("quay.io/me/plugin:v1", "v1")
(True, True)
"""

from collections.abc import Iterable

from wasmpack.errors import NotFound, WrongUsage
from wasmpack.oci.reference import Reference

_SHOWN = 8
"""Names listed in a hint."""
_LONGEST = 260
"""Characters of a name that are listed: a full one and its digest."""


def is_called(name: str, wanted: str) -> bool:
    """Whether an image of a full name is meant by that name, in a shorter form, or by its tag."""
    if wanted == name:
        return True
    try:
        reference = Reference.parse(name)
        return wanted == reference.tag or Reference.parse(wanted).full == reference.full
    except WrongUsage:
        return False


def not_one(where: str, wanted: str | None, found: Iterable[str], known: Iterable[str]) -> NotFound:
    """No image is meant, or more than one.

    :param where: names the layout or archive
    :param found: names of those that could be meant
    :param known: names of all that are there
    """
    several = sorted(found)
    if several:
        called = f" named {wanted}" if wanted else ""
        return NotFound(
            f"{where}: several images{called}", hint=f"choose one of: {_listed(several)}"
        )
    return NotFound(
        f"{where}: no image {wanted or 'at all'}",
        hint=f"there are: {_listed(sorted(known)) or 'none'}",
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:_LONGEST] for name in names[:_SHOWN])
    return shown + (" …" if len(names) > _SHOWN else "")
