"""oras-py without what it loads and we never call.

``oras.provider`` imports jsonschema to check manifests in methods that are overridden or unused
here; that is a third of its start-up. The standard library's lazy loader puts it off until
something asks for it.
"""

import importlib.util
import sys

_LATE = "jsonschema"


def import_late(name: str = _LATE) -> None:
    """Let the next ``import`` of this module cost nothing until the module is used."""
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
