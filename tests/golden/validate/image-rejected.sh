wasmpack validate image quay.io/me/bad:v1
