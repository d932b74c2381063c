"""Products: what is traded, with the terms by which quotes are read."""
