wasmpack build small.wasm -t x --load
