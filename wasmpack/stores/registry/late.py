"""oras-py without what it loads and we never call.

``oras.provider`` imports jsonschema to check manifests in methods that are overridden or unused
here; that is a third of its start-up. A stand-in is imported in its place, and the real module
takes over as soon as anybody asks for something in it. (The standard library's ``LazyLoader`` does
not help: in Python 3.11 a second ``import`` statement already makes it load.)
"""

import importlib.util
import sys
from types import ModuleType
from typing import Any


class _Late(ModuleType):
    """Stands for a module that is not loaded yet."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def import_late(name: str) -> None:
    """Let the next ``import`` of this module cost nothing until the module is used."""
    if name not in sys.modules:
        stand_in = _Late(name)
        stand_in.__spec__ = importlib.util.find_spec(name)
        sys.modules[name] = stand_in
