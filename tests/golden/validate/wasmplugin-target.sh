wasmpack validate wasmplugin plugin.yaml --target ossm-2.6
