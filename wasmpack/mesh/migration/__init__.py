"""From ServiceMeshExtension to WasmPlugin."""
