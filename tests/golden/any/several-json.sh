wasmpack validate -j 1 --target istio-1.29 small.wasm none.wasm trap.wasm --format json
wasmpack inspect small.wasm plugin.yaml --format json
