wasmpack inspect module no-such-import.wasm
