wasmpack render wasmplugin file:///opt/filters/x.wasm
