"""The public functions: each accepts names as typed on the command line, or parsed values.

The examples continue from here, with your own registry in place of ``quay.io``:

>>> import wasmpack
>>> module = wasmpack.read_module("filter.wasm")
>>> image = wasmpack.build_image(module)
>>> pushed = wasmpack.push(image, "quay.io/me/plugin:v1")
>>> print(pushed.places[0])
quay.io/me/plugin:v1

A ``session`` holds how registries are reached and where notices go; the default is silent and reads
the credentials of Docker and Podman. Calls that share a session share its connections and tokens:

>>> session = wasmpack.Session()
>>> for tag in ("v2", "v3"):
...     copied = wasmpack.copy("quay.io/me/plugin:v1", f"quay.io/me/plugin:{tag}", session)
>>> wasmpack.list_tags("quay.io/me/plugin", session)
['v1', 'v2', 'v3']
"""
