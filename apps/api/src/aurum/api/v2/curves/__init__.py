"""Forward curves: what is quoted, how it moved, and what is made of it."""
