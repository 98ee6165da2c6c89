wasmpack build small.wasm -o oci:layout:v1
