"""The first screen: the main job in three steps, and the commands in groups."""

SECTIONS = {
    "From a plugin to the mesh": "validate build push render",
    "Try it in a real Envoy": "run test",
    "Look closer": "inspect explain targets digest tags",
    "Images": "pull copy mirror extract repack migrate delete",
    "Local store": "list tag remove prune cache",
    "Set-up": "login logout config completion version help",
}
"""Commands as the first screen groups them."""
STEPS = (
    ("wasmpack validate filter.wasm", "Would the mesh load it?"),
    ("wasmpack build filter.wasm -t quay.io/me/filter:v1 --push", "Pack it, push it."),
    ("wasmpack render wasmplugin quay.io/me/filter:v1 --pin", "Write its WasmPlugin."),
)
"""The main job."""
