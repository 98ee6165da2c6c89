wasmpack inspect image ./small.wasm
