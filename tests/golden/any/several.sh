wasmpack validate -j 1 --target istio-1.29 small.wasm none.wasm trap.wasm type.json nonsense.txt quay.io/me/small:v1
