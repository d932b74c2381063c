"""Agencies and data providers, as opposed to grid operators."""
