wasmpack remove never:built
