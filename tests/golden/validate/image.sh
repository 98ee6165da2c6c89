wasmpack validate image quay.io/me/plugin:v1
