wasmpack cache --help
