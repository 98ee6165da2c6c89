# A module of which a proxy calls nothing, by itself and in an image.
wasmpack validate module idle.wasm
wasmpack build idle.wasm -o oci:idle:v1
wasmpack validate image oci:idle:v1 --target istio-1.29
