"""Registries, by the OCI distribution-spec, with oras-py as the one transport.

What oras-py 0.2 gets wrong for us (retries, token scopes, manifest bytes, digests, credentials) is
overridden in :mod:`wasmpack.stores.registry.transport`; see docs/adr/0003.
"""
