wasmpack list -o json
