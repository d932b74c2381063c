"""``/v1/external``: agencies and data providers."""
