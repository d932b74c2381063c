"""One module for each group of figures: each has ``measure(...)``, which returns rows of the table."""
