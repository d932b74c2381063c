"""Private series of the caller's tenant."""
