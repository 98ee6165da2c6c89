# Options of wasmpack itself, after the command.
wasmpack validate small.wasm --target istio-1.29 --quiet
wasmpack build small.wasm -o oci:made:v1 -v --no-progress
wasmpack list --color always
wasmpack list --color sometimes
wasmpack inspect module none.wasm --color=always
wasmpack validate image quay.io/me/small:v1 --target istio-1.29 -v
wasmpack inspect --verbose small.wasm --quiet
wasmpack digest $REGISTRY/a/b:v1 -v
wasmpack -v validate config good.json
