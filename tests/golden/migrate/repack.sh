wasmpack repack quay.io/me/docker:v1 oci:out:v1
