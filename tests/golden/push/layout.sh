wasmpack push oci:small:v1 $EMPTY/a/b:v1
