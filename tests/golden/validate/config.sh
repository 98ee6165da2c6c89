wasmpack validate config good.json
wasmpack validate config wrong.json
wasmpack validate config broken.json
