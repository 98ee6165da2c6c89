wasmpack inspect image quay.io/me/compat:v1
