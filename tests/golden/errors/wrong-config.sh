wasmpack build small.wasm -t x -c wrong.json
