wasmpack validate small.wasm --format sarif
wasmpack validate wrong-plugin.yaml no-mark.wasm nowhere.wasm quay.io/me/bad:v1 --no-image --target istio-1.29 --format sarif
