"""The proxy-wasm ABI: what hosts look for in a module, and which functions they provide."""
