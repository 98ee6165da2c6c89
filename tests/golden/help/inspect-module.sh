wasmpack inspect module --help
