wasmpack validate module text.wasm
