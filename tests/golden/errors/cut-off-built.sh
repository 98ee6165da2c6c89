wasmpack build cut.wasm -t x
