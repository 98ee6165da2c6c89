wasmpack validate small.wasm
wasmpack validate --target istio-1.29 text.wat
