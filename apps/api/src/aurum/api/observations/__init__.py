"""HTTP responses with observations: their bytes, entity tags and cache rules. ``aurum.services`` reads the observations."""
