wasmpack tags --help
