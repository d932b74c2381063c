"""Jobs: their states, and what becomes of a job whose attempt failed."""
