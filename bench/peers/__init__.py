"""Other products, measured beside Aurum, each in an environment of its own."""
