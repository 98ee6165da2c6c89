# "-" is standard input or output, or refused; a configuration is a file, @file, or JSON as it stands.
wasmpack validate module plugin.wasm --target istio-1.29 --plugin-config '{"x-wat": "hello"}'
wasmpack validate module plugin.wasm --target istio-1.29 --plugin-config @type.json
wasmpack validate module plugin.wasm --target istio-1.29 --plugin-config nowhere.json
wasmpack validate module plugin.wasm --target istio-1.29 --plugin-config ''
wasmpack push quay.io/me/small:v1 $EMPTY/a/b:v1 --plugin-config '{}' -t v2
wasmpack render wasmplugin quay.io/me/small:v1 --no-image --plugin-config @type.json -q
wasmpack render wasmplugin quay.io/me/small:v1 --no-image --plugin-config '{"a": [1]}' -q
wasmpack render wasmplugin quay.io/me/small:v1 --no-image --plugin-config 'a: 1' -q
wasmpack render wasmplugin quay.io/me/small:v1 --no-image --plugin-config nowhere.yaml
wasmpack build small.wasm -t one:v1 -t two:v1 -o oci:three:v1
wasmpack build small.wasm -t one:v1 --digest-file -
wasmpack inspect image -
wasmpack pull $REGISTRY/a/b:v1 --ca-file -
wasmpack migrate servicemeshextension extension.yaml --report -
