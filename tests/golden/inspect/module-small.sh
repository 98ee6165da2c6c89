wasmpack inspect module small.wasm
