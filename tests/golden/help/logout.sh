wasmpack logout --help
