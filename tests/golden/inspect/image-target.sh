wasmpack inspect image quay.io/me/plugin:v1 --target istio-1.29
