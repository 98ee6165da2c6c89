wasmpack validate module http://localhost/x.wasm
wasmpack build https://user:word@localhost/x.wasm -t x:v1
wasmpack inspect module http://localhost/x.wasm
wasmpack validate http://localhost/x.wasm
