"""The catalog: sources, datasets, markets, locations, units, calendars and blocks."""
