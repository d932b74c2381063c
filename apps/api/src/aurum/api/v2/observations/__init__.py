"""Observations of several series."""
