wasmpack validate module component.wasm
