wasmpack help options
