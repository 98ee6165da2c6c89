wasmpack inspect image quay.io/me/docker:v1
