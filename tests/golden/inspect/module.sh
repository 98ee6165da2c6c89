wasmpack inspect module plugin.wasm
