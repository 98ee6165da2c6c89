# Options of other tools, and mistyped ones.
wasmpack push x --tls-verify=false
wasmpack copy a b --src-tls-verify=false
wasmpack copy a b --dest-tls-verify=false
wasmpack pull x --insecure-skip-tls-verify
wasmpack pull x -k
wasmpack push x --creds me:secret
wasmpack login quay.io -p secret
wasmpack login quay.io --password secret
wasmpack push x --authfile auth.json
wasmpack pull x --cacert ca.pem
wasmpack copy x --dest y
wasmpack pull x --platform linux/amd64
wasmpack build -f small.wasm -t x
wasmpack validate --filename plugin.yaml
wasmpack pull x --all-tags
wasmpack build small.wasm --label a=b
wasmpack build small.wasm --no-cache
wasmpack validate small.wasm -e A=b
wasmpack validate small.wasm --parallel 4
wasmpack list --json
wasmpack render wasmplugin x -o yaml
wasmpack validate small.wasm --targets istio-1.29
wasmpack validate small.wasm --Target istio-1.29
wasmpack build small.wasm --tga x
wasmpack list --zzz
wasmpack push x --tag-all
wasmpack inspect x --format yaml
wasmpack validate small.wasm --output json
wasmpack pull x --quiet=maybe
wasmpack copy x y --dest-creds a:b
