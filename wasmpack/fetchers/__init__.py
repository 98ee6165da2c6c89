"""Each consumer's image fetcher, replayed."""
