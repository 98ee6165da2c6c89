wasmpack push x -v
