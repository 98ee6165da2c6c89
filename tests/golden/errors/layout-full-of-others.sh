wasmpack build small.wasm -o oci:full
