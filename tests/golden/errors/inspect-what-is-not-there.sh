wasmpack inspect image never:built
