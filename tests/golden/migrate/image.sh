wasmpack migrate image oci:old:v1 oci:out:v1
