wasmpack build small.wasm -t UPPER
