"""``python -m wasmpack``."""

from wasmpack.cli import main

if __name__ == "__main__":
    main()
