wasmpack list --help
