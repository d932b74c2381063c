"""Rows that were held back, and loading their files again."""
