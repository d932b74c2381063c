"""Observations of many series, and batches of several queries, in one request body."""
