wasmpack render wasmplugin quay.io/me/small:v1 --pin --format json
wasmpack render wasmplugin quay.io/me/bad:v1 --format json
wasmpack render secret quay.io --registry-config auth.json --format json
wasmpack migrate servicemeshextension extension.yaml --format json
wasmpack migrate servicemeshextension extensions.yaml --format json
