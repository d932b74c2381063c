"""The caller: its identity, its permissions, what is left of its limits, and its usage."""
