wasmpack inspect --help
