wasmpack mirror --help
