wasmpack extract quay.io/me/plugin:v1 -o taken
