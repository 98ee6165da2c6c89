wasmpack render secret quay.io --name pull -n mesh --registry-config auth.json
