# What was accepted without the variable is validated again with it, and the reverse.
wasmpack build refuses-env.wasm -t quay.io/me/picky:v1
wasmpack push quay.io/me/picky:v1 $EMPTY/a/b:v1 --dry-run
wasmpack push quay.io/me/picky:v1 $EMPTY/a/b:v1 --env POD=a --dry-run
wasmpack build needs-vm-config.wasm -t quay.io/me/needy:v1 --vm-config nonsense.txt
wasmpack push quay.io/me/needy:v1 $EMPTY/a/b:v1 --dry-run
wasmpack push quay.io/me/needy:v1 $EMPTY/a/b:v1 --vm-config nonsense.txt --dry-run
