wasmpack inspect module component.wasm
