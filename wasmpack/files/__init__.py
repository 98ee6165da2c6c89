"""Files that the user names, and files that wasmpack creates."""
