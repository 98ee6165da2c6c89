wasmpack validate image oci:old:v1
