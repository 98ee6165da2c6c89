wasmpack targets
