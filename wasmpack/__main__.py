"""``python -m wasmpack``."""

from wasmpack.cli import start

if __name__ == "__main__":
    start()
