wasmpack build small.wasm -t x -c type.json
