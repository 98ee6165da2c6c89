wasmpack delete --help
