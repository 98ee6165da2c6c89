wasmpack pull $REGISTRY/a/b:v2
