wasmpack validate wasmplugin plugin.yaml wrong-plugin.yaml
