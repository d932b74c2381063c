"""``/v1/drought``: the Drought Monitor."""
