"""The response cache: its state, invalidation and warming."""
