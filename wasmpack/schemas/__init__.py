"""JSON Schemas of the documents wasmpack reads, as package data."""
