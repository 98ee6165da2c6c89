wasmpack build small.wasm -o out.tar
