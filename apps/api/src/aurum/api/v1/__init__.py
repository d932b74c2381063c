"""``/v1``: the surface of the earlier Aurum, kept for its callers until they have moved. Off unless settings turn it on."""
