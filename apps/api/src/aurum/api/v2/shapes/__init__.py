"""Shapes: factors by day type and hour that curves are shaped with."""
