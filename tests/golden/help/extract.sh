wasmpack extract --help
