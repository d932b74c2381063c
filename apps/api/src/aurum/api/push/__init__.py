"""The push of changes to listeners of one process."""
