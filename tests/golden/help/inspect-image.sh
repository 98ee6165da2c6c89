wasmpack inspect image --help
