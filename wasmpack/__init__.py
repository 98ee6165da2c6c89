"""Pack, check and ship WebAssembly plugins for Istio, OpenShift Service Mesh and Envoy.

>>> import wasmpack
>>> report = wasmpack.validate_module(wasmpack.PluginModule(b"\\0asm\\1\\0\\0\\0"))
>>> report.verdict.value
'reject'

The names below are the public API; they load when first used, so that ``import wasmpack`` is cheap.
"""

import importlib
from typing import TYPE_CHECKING

from wasmpack.version import VERSION as __version__  # noqa: N811

if TYPE_CHECKING:
    from wasmpack.actions.build import BuildOptions, build_image
    from wasmpack.actions.copy import copy_image, extract_image, pull_image
    from wasmpack.actions.inputs import read_module_file
    from wasmpack.actions.inspect import inspect_image
    from wasmpack.actions.inspect_module import inspect_module
    from wasmpack.actions.migrate import MigrationRequest, migrate_extensions
    from wasmpack.actions.push import push_image
    from wasmpack.actions.render import render_wasmplugin
    from wasmpack.actions.render_request import RenderRequest
    from wasmpack.actions.validate import validate_config, validate_module
    from wasmpack.actions.validate_image import validate_image
    from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
    from wasmpack.errors import WasmpackError
    from wasmpack.findings import Finding, Report, Verdict
    from wasmpack.images.image import Image
    from wasmpack.images.opening import open_image
    from wasmpack.images.variants import Variant
    from wasmpack.kubeyaml.reader import read_documents
    from wasmpack.oci.place import parse_place
    from wasmpack.oci.reference import Reference
    from wasmpack.proxy_abi.module import PluginModule
    from wasmpack.stores.registry.options import RegistryOptions
    from wasmpack.stores.session import Session

_HOMES = {
    "BuildOptions": "actions.build",
    "Finding": "findings",
    "Image": "images.image",
    "MigrationRequest": "actions.migrate",
    "PluginModule": "proxy_abi.module",
    "Session": "stores.session",
    "Reference": "oci.reference",
    "RegistryOptions": "stores.registry.options",
    "RenderRequest": "actions.render_request",
    "Report": "findings",
    "Variant": "images.variants",
    "Verdict": "findings",
    "WasmpackError": "errors",
    "build_image": "actions.build",
    "copy_image": "actions.copy",
    "extract_image": "actions.copy",
    "inspect_image": "actions.inspect",
    "inspect_module": "actions.inspect_module",
    "migrate_extensions": "actions.migrate",
    "open_image": "images.opening",
    "parse_place": "oci.place",
    "pull_image": "actions.copy",
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
    "BuildOptions",
    "Finding",
    "Image",
    "MigrationRequest",
    "PluginModule",
    "Reference",
    "RegistryOptions",
    "RenderRequest",
    "Report",
    "Session",
    "Variant",
    "Verdict",
    "WasmpackError",
    "__version__",
    "build_image",
    "copy_image",
    "extract_image",
    "inspect_image",
    "inspect_module",
    "migrate_extensions",
    "open_image",
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
