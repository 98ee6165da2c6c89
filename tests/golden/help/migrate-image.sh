wasmpack migrate image --help
