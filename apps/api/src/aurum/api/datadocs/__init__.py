"""Data docs: what is expected of every dataset and mart, and what the latest checks found, as pages."""
