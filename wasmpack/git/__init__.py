"""Facts from git about a file, without trusting the repository."""
