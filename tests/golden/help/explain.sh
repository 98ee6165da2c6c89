wasmpack explain --help
