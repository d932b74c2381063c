"""Observations and their revisions."""
