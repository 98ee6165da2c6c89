wasmpack validate quay.io/me/plugin:v1 --target istio-1.29
wasmpack validate layout --target istio-1.29
wasmpack validate oci:layout:v1 --target istio-1.29
wasmpack validate $REGISTRY/a/b:v1 --target istio-1.29
wasmpack validate --remote $REGISTRY/a/b:v1 --target istio-1.29
