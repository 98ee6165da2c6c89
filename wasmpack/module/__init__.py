"""A WebAssembly module as a mesh's proxy sees it.

``reader`` lists it without running anything, ``rules`` compares it with the proxy-wasm ABI,
``engine`` and ``dry_run`` ask wasmtime. Only those two import wasmtime.
"""
