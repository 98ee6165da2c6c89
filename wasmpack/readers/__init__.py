"""How images are read: leniently, to look at any of them, and exactly as each mesh does."""
