"""The templates that come with wasmpack: manifests and a runtime configuration to fill in.

>>> template_file("runtime-config.json").startswith(b"{")
True
"""

from pathlib import Path

_FOLDER = "templates"


def template_file(name: str) -> bytes:
    """The bytes of a template.

    A wheel holds them as package data. The sources hold them next to the package, which is where an
    editable install finds them.
    """
    from importlib.resources import files

    packaged = files(__package__).joinpath(_FOLDER)
    in_sources = Path(__file__).parents[1] / _FOLDER
    return (packaged if packaged.is_dir() else in_sources).joinpath(name).read_bytes()
