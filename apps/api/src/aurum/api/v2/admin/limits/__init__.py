"""Use of the rate limits."""
