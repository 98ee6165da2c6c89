wasmpack help project
