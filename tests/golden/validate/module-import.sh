wasmpack validate module no-such-import.wasm
