"""A WebAssembly module as a mesh's proxy sees it.

``reader`` lists it without running anything, ``rules`` compares it with the proxy-wasm ABI,
``engine``, ``dry_run`` and ``guest`` ask wasmtime, and only these import it.
"""
