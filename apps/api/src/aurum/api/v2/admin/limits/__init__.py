"""Who asks how often."""
