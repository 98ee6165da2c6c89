wasmpack digest small.wasm
