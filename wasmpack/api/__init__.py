"""The public functions: each takes names as one would type them, or the values behind them.

The examples go on from here, with a registry of yours in place of ``quay.io``:

>>> import wasmpack
>>> module = wasmpack.read_module("filter.wasm")
>>> image = wasmpack.build_image(module)
>>> pushed = wasmpack.push(image, "quay.io/me/plugin:v1")
>>> print(pushed.places[0])
quay.io/me/plugin:v1

Where a ``session`` is taken, it says how registries are reached, and who is told of what happens;
the default is silent and reads the credentials of Docker and Podman. Work that shares a session
shares its connections and tokens:

>>> session = wasmpack.Session()
>>> for tag in ("v2", "v3"):
...     copied = wasmpack.copy("quay.io/me/plugin:v1", f"quay.io/me/plugin:{tag}", session)
>>> wasmpack.list_tags("quay.io/me/plugin", session)
['v1', 'v2', 'v3']
"""
