wasmpack help environment
