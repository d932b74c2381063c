"""``/v1/curves``."""
