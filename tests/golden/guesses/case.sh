wasmpack list --format JSON
wasmpack build small.wasm -o oci:made:v1 --variant OCI --color Never
wasmpack validate small.wasm --target Istio-1.29
wasmpack explain abi005
