"""Media types, by who defined them. Which reader takes which: ``docs/variants.md``."""

# OCI image-spec 1.1, media-types.md
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"

# Docker image manifest version 2, schema 2
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_TAR_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

# Wasm image specification (solo-io/wasm, spec.md), the artifact variant
WASM_CONFIG = "application/vnd.module.wasm.config.v1+json"
WASM_CONTENT = "application/vnd.module.wasm.content.layer.v1+wasm"

# What others write, and no mesh reads: CNCF wasm-oci-artifact; wasm-to-oci and cosign
CNCF_CONFIG = "application/vnd.wasm.config.v0+json"
CNCF_WASM = "application/wasm"
WASM_TO_OCI_CONTENT = "application/vnd.wasm.content.layer.v1+wasm"

MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)
ACCEPTED = (*MANIFESTS, *INDEXES)
"""Sent in ``Accept`` (distribution-spec, "Pulling manifests")."""

RAW_MODULES = (WASM_CONTENT, CNCF_WASM, WASM_TO_OCI_CONTENT)
"""Layer types whose blob is the module itself."""
GZIPPED_TARS = (OCI_LAYER_TAR_GZIP, DOCKER_LAYER_TAR_GZIP)
"""Layer types whose blob is a gzipped tar."""

PLUGIN_FILE = "plugin.wasm"
"""The name every mesh looks for, whatever the input was called."""
RUNTIME_CONFIG_FILE = "runtime-config.json"
EXTENSION_FILE = "manifest.yaml"
"""Looked for by Maistra's image cache in the root (maistra/istio mec/pkg/pullstrategy/ossm)."""
