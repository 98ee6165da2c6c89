wasmpack inspect image oci:nolayout
