wasmpack --help
