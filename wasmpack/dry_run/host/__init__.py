"""The functions a proxy offers to a module, answered as Envoy does.

A function is a row of :mod:`.table`, a callback of a request one of ``GET_REQUEST`` in
:mod:`.streams`; what either finds and leaves is in :mod:`.state`.
"""
