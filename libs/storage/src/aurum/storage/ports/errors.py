"""Errors that more than one port raises."""

from __future__ import annotations

from aurum.core.errors import Unavailable


class LostRace(Unavailable):
    """The store ended this transaction in favour of another one. It had no effect and may be repeated at once."""
