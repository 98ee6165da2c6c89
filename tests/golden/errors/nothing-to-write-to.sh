wasmpack build small.wasm
