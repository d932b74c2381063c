"""``/v1/metadata``: dimensions, locations, units, calendars."""
