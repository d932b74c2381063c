"""``/v1/iso/lmp``: locational prices."""
