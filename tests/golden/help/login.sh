wasmpack login --help
