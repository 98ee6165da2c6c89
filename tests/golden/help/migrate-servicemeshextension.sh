wasmpack migrate servicemeshextension --help
