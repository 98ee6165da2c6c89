wasmpack push quay.io/me/bad:v1 $EMPTY/a/b:v1
