wasmpack build small.wasm --frobnicate
