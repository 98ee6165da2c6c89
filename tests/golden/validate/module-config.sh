wasmpack validate module plugin.wasm --plugin-config nonsense.txt
