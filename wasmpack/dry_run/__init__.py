"""Starting a module in wasmtime as a proxy would, in a process of its own."""
