wasmpack render wasmplugin quay.io/me/plugin:v1 --plugin-config config.json
