wasmpack tag --help
