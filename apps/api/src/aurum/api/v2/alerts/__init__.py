"""Alerts on datasets."""
