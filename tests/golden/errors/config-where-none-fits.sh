wasmpack build small.wasm -t x --no-runtime-config
