"""Ports on Redis."""
