wasmpack validate image oci:layout:v1 --strict
