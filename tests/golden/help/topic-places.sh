wasmpack help places
