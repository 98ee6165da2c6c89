wasmpack build small.wasm -t x --digest-file small.wasm
