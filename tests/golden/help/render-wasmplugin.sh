wasmpack render wasmplugin --help
