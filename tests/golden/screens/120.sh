# The same at 60, 80 and 120 columns, with colour and without.
wasmpack validate small.wasm no-mark.wasm no-such-import.wasm --target istio-1.29 --target ossm-2.6
wasmpack validate plugin.wasm
wasmpack validate wasmplugin wrong-plugin.yaml --no-image -v
wasmpack inspect image quay.io/me/annotated:v1 --target istio-1.29
wasmpack inspect plugin.wasm
wasmpack list
wasmpack explain WPL007
wasmpack tag nowhere:v1 here:v1
