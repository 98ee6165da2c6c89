wasmpack inspect module cut.wasm
