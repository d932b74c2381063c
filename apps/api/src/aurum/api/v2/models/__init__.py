"""Models over the store: what is built, from which datasets, and the results of its tests."""
