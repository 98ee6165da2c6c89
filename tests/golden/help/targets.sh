wasmpack targets --help
