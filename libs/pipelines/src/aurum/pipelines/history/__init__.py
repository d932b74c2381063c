"""Moves closed months of observations to history, and keeps a copy of history for wide scans."""
