wasmpack validate module small.wasm trap.wasm --target istio-1.29 -j 1
wasmpack validate image quay.io/me/small:v1 layout --target istio-1.29 -j 1
wasmpack inspect module small.wasm none.wasm
