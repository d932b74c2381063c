"""Freshness, completeness, files and quarantine of every dataset."""
