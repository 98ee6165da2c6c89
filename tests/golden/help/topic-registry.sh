wasmpack help registry
