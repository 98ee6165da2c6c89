wasmpack validate config --help
