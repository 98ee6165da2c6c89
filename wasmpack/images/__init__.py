"""Images, wherever they are, and what is in them."""
