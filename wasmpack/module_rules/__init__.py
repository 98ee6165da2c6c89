"""What a host holds against a module, rule by rule."""
