wasmpack build --help
