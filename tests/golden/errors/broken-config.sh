wasmpack build small.wasm -t x -c broken.json
