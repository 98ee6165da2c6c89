wasmpack build small.wasm -t x --variant cncf
