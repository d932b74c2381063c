"""Errors that more than one port raises."""

from __future__ import annotations

from aurum.core.errors import Unavailable


class LostRace(Unavailable):
    """The store ended this transaction for the sake of another one. Nothing of it was done; it may be done again at once."""
