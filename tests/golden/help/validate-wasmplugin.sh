wasmpack validate wasmplugin --help
