"""Files that were offered to the store."""
