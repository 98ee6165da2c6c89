wasmpack migrate --help
