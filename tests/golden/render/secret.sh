wasmpack render secret quay.io
