wasmpack validate module plugin.wasm
