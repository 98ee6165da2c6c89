wasmpack inspect image oci:old:v1
