"""Loads files into the store: finds and unpacks them, parses, checks and commits them."""
