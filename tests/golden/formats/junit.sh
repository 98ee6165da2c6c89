wasmpack validate small.wasm no-mark.wasm nowhere.wasm wrong.json --target istio-1.29 --target ossm-2.6 --format junit
wasmpack validate wasmplugin wrong-plugin.yaml --no-image --target istio-1.29 --format JUnit
