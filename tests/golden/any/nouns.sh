# A noun wins, wherever the options are; a mistyped one is not taken for an image.
wasmpack validate --target istio-1.29 module small.wasm
wasmpack validate modul small.wasm
wasmpack validate folder
wasmpack validate nothing.wasm
wasmpack validate *.wat?
wasmpack validate no-such-thing
wasmpack validate small.wasm --help
wasmpack inspect plugin.yaml
wasmpack inspect good.json small.wasm --raw config
wasmpack validate
