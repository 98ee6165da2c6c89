wasmpack remove quay.io/me/bad:v1
wasmpack prune
