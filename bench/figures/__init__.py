"""One module per figure: each has ``measure(...)``, which gives rows of the table."""
