wasmpack build small.wasm -t x --digest-file no/dir/d
