wasmpack build none.wasm -t x
