"""Pack, check and ship WebAssembly plugins for Istio, OpenShift Service Mesh and Envoy.

>>> import wasmpack
>>> report = wasmpack.validate_module(b"\\0asm\\1\\0\\0\\0", "empty.wasm")
>>> report.verdict.value
'reject'

The names below are the public API; they load when first used, so that ``import wasmpack`` is cheap.
"""

import importlib
from typing import TYPE_CHECKING

from wasmpack.version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from wasmpack.actions.build import BuildRequest, build_image, check_build
    from wasmpack.actions.inputs import ModuleInput, read_module_file
    from wasmpack.actions.inspect import inspect_image
    from wasmpack.actions.inspect_module import inspect_module
    from wasmpack.actions.migrate import MigrationRequest, migrate_extensions
    from wasmpack.actions.pull import copy_image, extract_image, pull_image
    from wasmpack.actions.push import push_image
    from wasmpack.actions.render import render_wasmplugin
    from wasmpack.actions.render_request import RenderRequest
    from wasmpack.actions.validate import validate_config, validate_module
    from wasmpack.actions.validate_image import validate_image
    from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
    from wasmpack.errors import WasmpackError
    from wasmpack.findings import Finding, Report, Verdict
    from wasmpack.kubeyaml.reader import read_documents
    from wasmpack.oci.image import Image, Variant
    from wasmpack.oci.place import parse_place
    from wasmpack.oci.reference import Reference
    from wasmpack.stores.places import open_reader
    from wasmpack.stores.registry.options import RegistryOptions

_HOMES = {
    "BuildRequest": "actions.build",
    "Finding": "findings",
    "Image": "oci.image",
    "MigrationRequest": "actions.migrate",
    "ModuleInput": "actions.inputs",
    "Reference": "oci.reference",
    "RegistryOptions": "stores.registry.options",
    "RenderRequest": "actions.render_request",
    "Report": "findings",
    "Variant": "oci.image",
    "Verdict": "findings",
    "WasmpackError": "errors",
    "build_image": "actions.build",
    "check_build": "actions.build",
    "copy_image": "actions.pull",
    "extract_image": "actions.pull",
    "inspect_image": "actions.inspect",
    "inspect_module": "actions.inspect_module",
    "migrate_extensions": "actions.migrate",
    "open_reader": "stores.places",
    "parse_place": "oci.place",
    "pull_image": "actions.pull",
    "push_image": "actions.push",
    "read_documents": "kubeyaml.reader",
    "read_module_file": "actions.inputs",
    "render_wasmplugin": "actions.render",
    "validate_config": "actions.validate",
    "validate_image": "actions.validate_image",
    "validate_module": "actions.validate",
    "validate_wasmplugin": "actions.validate_wasmplugin",
}

__all__ = [
    "BuildRequest",
    "Finding",
    "Image",
    "MigrationRequest",
    "ModuleInput",
    "Reference",
    "RegistryOptions",
    "RenderRequest",
    "Report",
    "Variant",
    "Verdict",
    "WasmpackError",
    "__version__",
    "build_image",
    "check_build",
    "copy_image",
    "extract_image",
    "inspect_image",
    "inspect_module",
    "migrate_extensions",
    "open_reader",
    "parse_place",
    "pull_image",
    "push_image",
    "read_documents",
    "read_module_file",
    "render_wasmplugin",
    "validate_config",
    "validate_image",
    "validate_module",
    "validate_wasmplugin",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wasmpack' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wasmpack.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
