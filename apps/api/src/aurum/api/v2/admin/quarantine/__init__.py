"""Rows in quarantine, and replay of their files."""
