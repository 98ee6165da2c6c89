wasmpack validate module plugin.wasm --no-dry-run
