wasmpack tag never:built x
