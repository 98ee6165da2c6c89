wasmpack pull $REGISTRY/a/b:v1
