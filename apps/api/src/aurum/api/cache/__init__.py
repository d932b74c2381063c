"""Cached responses: their keys and tags, the layer that answers from them, warming."""
