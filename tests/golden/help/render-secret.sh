wasmpack render secret --help
