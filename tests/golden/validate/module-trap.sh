wasmpack validate module trap.wasm
