"""Ingested files: those loaded into the store, and those refused."""
