wasmpack completion --help
