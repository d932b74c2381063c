"""From a query about observations to an answer: resolve it, read, transform in columns, encode."""
