wasmpack copy --help
