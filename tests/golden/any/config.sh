wasmpack validate good.json
wasmpack validate --strict type.json
