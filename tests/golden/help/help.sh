wasmpack help --help
