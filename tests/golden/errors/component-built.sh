wasmpack build component.wasm -t x
