wasmpack extract quay.io/me/plugin:v1
wasmpack extract quay.io/me/plugin:v1
