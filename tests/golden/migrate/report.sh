wasmpack migrate servicemeshextension extension.yaml --report report.md
