"""The rules by which a host refuses a module."""
