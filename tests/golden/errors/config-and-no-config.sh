wasmpack build small.wasm -t x -c good.json --no-runtime-config
