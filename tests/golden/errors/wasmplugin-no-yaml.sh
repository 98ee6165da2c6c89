wasmpack validate wasmplugin small.wasm
