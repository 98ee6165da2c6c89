wasmpack validate module --help
