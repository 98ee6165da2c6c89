# A file for an image, an image for a file, and places of other tools.
wasmpack inspect image ./small.wasm
wasmpack digest small.wasm
wasmpack validate module quay.io/me/plugin:v1
wasmpack build quay.io/me/plugin:v1 -t x
wasmpack validate image plugin.yaml
wasmpack copy docker-archive:image.tar x
wasmpack copy x containers-storage:me/x:v1
wasmpack render wasmplugin small.wasm
wasmpack push small.wasm quay.io/me/x:v1
wasmpack tag small.wasm x:v1
wasmpack explain plugin.wasm
wasmpack pull quay.io/me/small:v1 -o small.tar
wasmpack copy quay.io/me/small:v1 small.tar
wasmpack copy quay.io/me/small:v1 quay.io/me/bad:v1 mirror/
wasmpack run dist/missing.wasm
