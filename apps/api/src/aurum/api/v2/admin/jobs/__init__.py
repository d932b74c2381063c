"""Work that is asked for and done by workers."""
