wasmpack validate wrong-plugin.yaml no-mark.wasm nowhere.wasm quay.io/me/bad:v1 --no-image --format github
