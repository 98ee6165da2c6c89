wasmpack build gzip.wasm -t x
