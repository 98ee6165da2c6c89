wasmpack login quay.io/x/y
