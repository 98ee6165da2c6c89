wasmpack build bad.wat -t x
