wasmpack inspect image quay.io/me/bad:v1
