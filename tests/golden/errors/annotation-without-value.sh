wasmpack build small.wasm -t x -a novalue
