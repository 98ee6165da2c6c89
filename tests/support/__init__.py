"""What the tests share: fixtures and stand-ins, imported as `support`."""
