# Commands of other tools, and mistyped ones.
wasmpack ls -q
wasmpack images -q
wasmpack rm none:v1
wasmpack rmi none:v1
wasmpack delete none:v1
wasmpack check small.wasm
wasmpack lint small.wasm
wasmpack show small.wasm
wasmpack cp a b
wasmpack save x
wasmpack manifest x
wasmpack auth login quay.io
wasmpack append -f x
wasmpack catalog quay.io
wasmpack ls quay.io/me/plugin
wasmpack config quay.io/me/plugin:v1
wasmpack fetch x
wasmpack publish x
wasmpack apply x
wasmpack Build
wasmpack biuld
wasmpack vaildate
wasmpack render wasmplugn
wasmpack inspect imag
wasmpack help frobnicate
wasmpack help render wasmplug
wasmpack help registries
wasmpack validate modul small.wasm
wasmpack run-tests x
wasmpack login
wasmpack completion powershell
