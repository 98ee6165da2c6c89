wasmpack build small.wasm -o quay.io/x/y
