wasmpack pull --help
