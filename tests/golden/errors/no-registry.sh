wasmpack pull plugin
