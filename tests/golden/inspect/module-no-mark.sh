wasmpack inspect module no-mark.wasm
