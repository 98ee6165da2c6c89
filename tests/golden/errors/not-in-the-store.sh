wasmpack push never:built
