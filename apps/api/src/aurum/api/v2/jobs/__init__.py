"""Jobs: background work, and what callers do with it."""
