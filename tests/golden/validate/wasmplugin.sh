wasmpack validate wasmplugin plugin.yaml
