"""The one place of the version; semantic versioning, see CHANGELOG.md."""

VERSION = "0.1.0"
SITE = "https://wasmpack.dev"
"""The address of the documentation and the schemas."""
