wasmpack validate module cut.wasm
