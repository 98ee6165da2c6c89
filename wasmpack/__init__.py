"""Pack, check and ship WebAssembly plugins for Istio, OpenShift Service Mesh and Envoy.

>>> import wasmpack
>>> image = wasmpack.build_image(wasmpack.PluginModule(b"\\0asm\\1\\0\\0\\0"))
>>> wasmpack.validate(image, targets=["ossm-3.0"]).verdict.value
'reject'

The names below are the public API, and its functions those of :mod:`wasmpack.api`. They load when
first used, so that ``import wasmpack`` is cheap; type checkers read ``__init__.pyi``.
"""

import importlib

from wasmpack.version import VERSION as __version__  # noqa: N811

_NAMES = {
    "actions.build": "BuildOptions build_image",
    "actions.explain": "explain",
    "actions.inspect": "ImageView",
    "actions.inspect_module": "ModuleView",
    "actions.local": "LocalImage",
    "actions.migrate": "Migration MigrationRequest MigrationRow",
    "actions.image_moves": "ImageOutcome ImageStatus",
    "actions.rejected": "RejectedArtifact",
    "actions.render": "RenderedPlugin",
    "actions.render_source": "RenderRequest",
    "actions.render_secret": "RenderedSecret SecretRequest render_secret",
    "kubeyaml.writer": "Rendered",
    "actions.repack": "RepackRequest",
    "actions.checks": "Checks ImageScope",
    "actions.validate": "validate_config",
    "api.checks": "migrate render validate validate_all validate_resources",
    "api.images": "copy extract inspect open_image pull push read_module repack write",
    "api.stores": "list_images list_tags login logout prune remove_images tag_image",
    "dry_run.start_up": "StartUp",
    "errors": (
        "AccessRefused BadArtifact DigestMismatch NotFound Notice RegistryUnavailable "
        "WasmpackError WasmpackWarning WouldOverwrite WrongUsage"
    ),
    "findings.report": "Finding Report TargetVerdict Verdict",
    "findings.rules": "Blank Command Hint Problem Rule Severity",
    "images.image": "Contents Image",
    "images.search": "FoundFiles",
    "images.transfer": "Moved",
    "images.variants": "Variant",
    "images.writing": "Written",
    "kubeyaml.documents": "Comment Document",
    "kubeyaml.reader": "read_documents",
    "mesh.kinds": "Kind",
    "mesh.migration.convert": "Migrated",
    "mesh.migration.extension_manifest": "ExtensionManifest",
    "mesh.migration.extension": "Extension MigrationOptions NewImage",
    "mesh.templates": "Values",
    "oci.canonical": "JsonValue",
    "oci.descriptor": "Descriptor Digest Hasher Platform",
    "oci.manifest": "Index Manifest",
    "oci.place": "ArchivePlace DaemonPlace LayoutPlace NamePlace Place parse_place",
    "oci.reference": "Reference",
    "proxy_abi.host_scan": "HostScan",
    "proxy_abi.module": "PluginModule",
    "stores.ports": "BlobStatus ImageReader",
    "stores.registry.options": "RegistryOptions",
    "stores.session": "Progress Session",
    "stores.verified": "Readable VerifiedStream",
    "targets": "Fetcher ImageRules Target all_targets",
    "wasm.cursor": "Cursor MalformedModule Source",
    "wasm.types": "Export Import Memory Module Section Type",
}
"""The one list of public names, by the module that each is defined in.

``make docs`` writes the stub for type checkers, ``__init__.pyi``, and ``docs/api.md`` from it.
"""
_HOMES: dict[str, str] = {}
for _home, _names in _NAMES.items():
    _HOMES |= dict.fromkeys(_names.split(), _home)

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - strings, all of them


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wasmpack' has no attribute {name!r}")
    return getattr(importlib.import_module(f"wasmpack.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
