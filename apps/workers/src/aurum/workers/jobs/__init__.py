"""Jobs: an actor of a few lines around a function that a test can call."""
