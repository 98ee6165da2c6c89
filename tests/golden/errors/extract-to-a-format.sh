wasmpack extract never:built -o json
