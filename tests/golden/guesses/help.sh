wasmpack help prune
wasmpack prune -h
wasmpack ls --help
