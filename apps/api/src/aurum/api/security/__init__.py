"""Authentication: API keys and tokens of identity providers become callers."""
