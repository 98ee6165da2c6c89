wasmpack digest --help
