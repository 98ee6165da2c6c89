wasmpack build text.wasm -t x
