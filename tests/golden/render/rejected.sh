wasmpack render wasmplugin quay.io/me/bad:v1
