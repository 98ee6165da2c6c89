wasmpack validate module small.wasm --env POD
wasmpack build small.wasm -t x --env =secret
wasmpack push quay.io/me/small:v1 $EMPTY/a/b:v1 --env ""
wasmpack validate module small.wasm --env POD=a --no-dry-run
wasmpack validate image quay.io/me/small:v1 --vm-config none.txt
wasmpack validate module small.wasm --env MODE:a
wasmpack validate module small.wasm --env MODE=a --env MODE=b
wasmpack render wasmplugin quay.io/me/small:v1 --env MODE:a
wasmpack render wasmplugin quay.io/me/small:v1 --env MODE=a --env MODE
