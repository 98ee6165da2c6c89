wasmpack inspect image quay.io/me/plugin:v1
