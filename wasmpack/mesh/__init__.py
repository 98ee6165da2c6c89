"""Resources of a cluster: WasmPlugin and its kin, pull secrets, ServiceMeshExtension; YAML."""
