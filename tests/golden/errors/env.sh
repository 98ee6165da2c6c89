wasmpack validate module small.wasm --env POD
wasmpack build small.wasm -t x --env =secret
wasmpack push quay.io/me/small:v1 $EMPTY/a/b:v1 --env ""
wasmpack validate module small.wasm --env POD=a --no-dry-run
wasmpack validate image quay.io/me/small:v1 --vm-config none.txt
