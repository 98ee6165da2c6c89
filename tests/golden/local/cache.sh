wasmpack cache
wasmpack push quay.io/me/small:v1 $EMPTY/a/b:v1 -q
wasmpack cache --clear
wasmpack cache --clear --format json
wasmpack cache --format json
