wasmpack render wasmplugin quay.io/me/small:v1 --pin --phase AUTHN --name header
