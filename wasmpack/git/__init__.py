"""What git knows of a file, without trusting the repository."""
