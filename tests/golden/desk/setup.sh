# The images that every case finds in the local store and next to it.
wasmpack build plugin.wasm -t quay.io/me/plugin:v1
wasmpack build small.wasm -t quay.io/me/small:v1
wasmpack build no-such-import.wasm -t quay.io/me/bad:v1 --no-validate
wasmpack build plugin.wasm -t quay.io/me/docker:v1 --variant docker
wasmpack build plugin.wasm -t quay.io/me/compat:v1 --variant compat
wasmpack build small.wasm -t quay.io/me/annotated:v1 -a org.opencontainers.image.title=small --created 2026-01-02T03:04:05Z
wasmpack build plugin.wasm -o oci:layout:v1
wasmpack build small.wasm -o oci:small:v1
