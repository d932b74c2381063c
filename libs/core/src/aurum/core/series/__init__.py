"""What a series is, and what can be done with its observations."""
