"""The functions a proxy offers to a module, answered as Envoy does."""
