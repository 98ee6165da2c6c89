wasmpack tags a/b:v1
