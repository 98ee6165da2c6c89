wasmpack validate --help
