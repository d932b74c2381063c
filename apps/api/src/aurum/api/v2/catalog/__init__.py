"""What there is, and how good it is."""
