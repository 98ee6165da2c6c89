wasmpack push quay.io/me/small:v1 $EMPTY/a/b:v1
