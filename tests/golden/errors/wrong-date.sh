wasmpack build small.wasm -t x --created yesterday
