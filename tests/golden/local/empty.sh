wasmpack remove quay.io/me/plugin:v1 quay.io/me/small:v1 quay.io/me/bad:v1
wasmpack list
