wasmpack remove --help
