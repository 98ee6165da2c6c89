"""OCI values: digests, media types, references, places, manifests, layers, images.

Values and bytes: nothing here reads content from a disk or a network. Bytes are the truth: a digest
or a size is only ever taken from raw bytes, never from JSON written again.
"""
