wasmpack push --help
