wasmpack build small.wasm -t 'x:no tag'
