wasmpack inspect image oci:layout:v1
