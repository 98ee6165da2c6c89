wasmpack validate image --help
