wasmpack validate wasmplugin wrong-plugin.yaml
