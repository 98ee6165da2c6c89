wasmpack render --help
