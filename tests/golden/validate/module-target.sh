wasmpack validate module plugin.wasm --target ossm-2.6
