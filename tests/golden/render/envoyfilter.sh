wasmpack render wasmplugin quay.io/me/small:v1 --kind EnvoyFilter
