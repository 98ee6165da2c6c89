wasmpack push oci:nolayout
