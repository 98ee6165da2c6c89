wasmpack validate small.wasm config.json --format json
wasmpack validate module no-mark.wasm --target istio-1.29 --format json
wasmpack validate config wrong.json --format json
wasmpack validate image quay.io/me/small:v1 --format json
wasmpack validate wasmplugin wrong-plugin.yaml --no-image --format json
wasmpack inspect small.wasm nowhere.wasm --format json
wasmpack inspect module plugin.wasm --format json
wasmpack inspect image quay.io/me/annotated:v1 oci:old --format json
wasmpack explain ABI005 --format json
