wasmpack tag quay.io/me/small:v1 small:v2
wasmpack digest small:v2
