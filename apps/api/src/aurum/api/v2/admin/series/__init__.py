"""Removal of series."""
