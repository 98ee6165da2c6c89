wasmpack build small.wasm -o json
