"""``/v2/search``: search of series by words."""
