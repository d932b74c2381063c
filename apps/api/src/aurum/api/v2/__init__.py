"""Version 2 of the HTTP API, with one folder per feature."""
