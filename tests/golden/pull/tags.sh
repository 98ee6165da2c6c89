wasmpack tags $REGISTRY/a/b
