wasmpack run --help
