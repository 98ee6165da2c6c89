"""Request tests: files that say what is sent through a plugin, and what is expected at each end."""
