"""The list of changes, and its push to listeners."""
