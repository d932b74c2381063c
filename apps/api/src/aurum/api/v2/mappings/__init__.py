"""Mappings of labels and units, and the labels that no mapping knows."""
