"""The templates that come with wasmpack: manifests and a runtime configuration to fill in.

>>> template_file("runtime-config.json").startswith(b"{")
True
"""

import pkgutil
from contextlib import suppress
from pathlib import Path

_FOLDER = "templates"


def template_file(name: str) -> bytes:
    """The bytes of a template.

    A wheel holds them as package data. The sources hold them next to the package, which is where an
    editable install finds them.
    """
    with suppress(FileNotFoundError):
        if (packaged := pkgutil.get_data(__package__, f"{_FOLDER}/{name}")) is not None:
            return packaged
    return (Path(__file__).parents[1] / _FOLDER / name).read_bytes()
