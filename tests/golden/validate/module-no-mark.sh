wasmpack validate module no-mark.wasm
