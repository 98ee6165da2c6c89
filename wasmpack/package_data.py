"""Data that comes with the package, next to the code that reads it."""

import pkgutil


def package_file(package: str | None, name: str) -> bytes:
    """The bytes of a file; importlib.resources does it too, and costs each process 6 ms.

    :param package: the ``__package__`` of the module that asks
    :param name: relative to the package, with slashes
    """
    data = pkgutil.get_data(package or "", name)
    assert data is not None, f"{package}: imported in a way that has no files"
    return data
