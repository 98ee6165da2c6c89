wasmpack build small.wasm -o oci:o --push
