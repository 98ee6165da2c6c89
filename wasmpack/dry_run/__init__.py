"""Start a module in wasmtime as a proxy would, in a separate process."""
