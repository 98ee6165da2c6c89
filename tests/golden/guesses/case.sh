wasmpack list --format JSON
wasmpack build small.wasm -o oci:made:v1 --variant OCI --color Never
wasmpack validate small.wasm --target Istio-1.29
wasmpack explain abi005
wasmpack digest OCI:old
wasmpack inspect image quay.io/me/small:v1 --raw CONFIG
wasmpack build small.wasm -o oci:now:v1 --created soon
