"""Places of images: the local store, layouts, archives, registries, the Docker engine.

:mod:`wasmpack.stores.ports` holds the two protocols all of them meet;
:func:`wasmpack.stores.places.open_reader` and ``open_writer`` turn a place into one.
"""
