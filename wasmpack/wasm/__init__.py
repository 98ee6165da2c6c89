"""Reading WebAssembly binaries: bounded by the engines' limits, nothing is executed."""
