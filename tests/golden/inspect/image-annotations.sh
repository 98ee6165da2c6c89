wasmpack inspect image quay.io/me/annotated:v1
