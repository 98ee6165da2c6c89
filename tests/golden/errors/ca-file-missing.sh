wasmpack digest a/b:v1 --ca-file none.pem
