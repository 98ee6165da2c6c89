wasmpack inspect image $REGISTRY/a/b:v1
