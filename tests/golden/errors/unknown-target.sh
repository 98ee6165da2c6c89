wasmpack build small.wasm -t x --target istio-9.9
