wasmpack validate plugin.yaml --no-image --target istio-1.29
wasmpack validate resources --no-image --target istio-1.29
