"""Blocks with their versions, and their changes by administrators."""
