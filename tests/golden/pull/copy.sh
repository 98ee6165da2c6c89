wasmpack copy $REGISTRY/a/b:v1 oci:out:v1
