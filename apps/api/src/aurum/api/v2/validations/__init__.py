"""Validations: checks of files and marts against their expectations."""
