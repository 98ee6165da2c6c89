wasmpack test --help
