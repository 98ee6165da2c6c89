wasmpack build folder -t x
