wasmpack tag quay.io/me/small:v1 $EMPTY/a/b:v1
wasmpack push $EMPTY/a/b:v1
