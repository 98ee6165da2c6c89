wasmpack validate module needs-env.wasm --target istio-1.29
wasmpack validate module needs-env.wasm --target istio-1.29 --env POD=a=b
wasmpack validate module needs-vm-config.wasm --target istio-1.29 --target envoy-1.36
wasmpack validate module needs-vm-config.wasm --target istio-1.29 --target envoy-1.36 --vm-config nonsense.txt
