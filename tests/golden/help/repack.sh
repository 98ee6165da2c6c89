wasmpack repack --help
