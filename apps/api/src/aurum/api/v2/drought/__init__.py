"""The Drought Monitor: its index, shares of area, regions and terms."""
