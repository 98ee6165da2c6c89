wasmpack version --help
