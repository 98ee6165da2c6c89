wasmpack inspect small.wasm quay.io/me/small:v1
wasmpack inspect small.wasm trap.wasm
