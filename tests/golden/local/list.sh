wasmpack list
