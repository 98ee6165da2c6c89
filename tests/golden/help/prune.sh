wasmpack prune --help
