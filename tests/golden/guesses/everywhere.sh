# Options of wasmpack itself, after the command.
wasmpack validate small.wasm --target istio-1.29 --quiet
wasmpack build small.wasm -o oci:made:v1 -v --no-progress
wasmpack list --color always
wasmpack list --color sometimes
wasmpack inspect module none.wasm --color=always
