"""Search of series by words: normalised words, the alias table, groups of series, terms of a query, the order of results."""
