wasmpack help exit-codes
