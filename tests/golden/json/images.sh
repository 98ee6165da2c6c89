# Each command that has --format json: tests/golden/test_schemas.py checks what they print.
wasmpack build small.wasm -t new:v1 --format json
wasmpack build no-mark.wasm -t never:v1 --format json
wasmpack push quay.io/me/small:v1 $EMPTY/a/b:v1 --format json
wasmpack pull $REGISTRY/a/b:v1 --format json
wasmpack extract quay.io/me/small:v1 -o out --format json
wasmpack copy quay.io/me/small:v1 oci:copied:v1 --format json
wasmpack repack oci:old oci:again:v1 --format json
wasmpack migrate image oci:old oci:migrated:v1 --format json
wasmpack pull $REGISTRY/a/b:v1 $REGISTRY/a/missing:v1 --format json
wasmpack mirror $REGISTRY/a/b:v1 $EMPTY/a --format json
wasmpack tags $REGISTRY/a/b --format json
wasmpack tag new:v1 other:v1 --format json
wasmpack digest other:v1 --format json
wasmpack list --format json
wasmpack delete $REGISTRY/a/b:v1 --yes --format json
wasmpack remove other:v1 --format json
wasmpack prune --format json
