wasmpack render wasmplugin quay.io/me/small:v1
