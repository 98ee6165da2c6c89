wasmpack login 'not a host' -u u --password-stdin
