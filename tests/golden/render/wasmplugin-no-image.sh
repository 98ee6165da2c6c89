wasmpack render wasmplugin quay.io/me/elsewhere:v1 --no-image
