"""Data docs: pages with the expectations of every dataset and mart, and the results of the latest checks."""
