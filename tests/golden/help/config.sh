wasmpack config --help
