"""Delivery calendars: the days in which a product delivers, and their hours. They belong to products, not to markets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time


@dataclass(frozen=True, slots=True)
class DeliveryCalendar:
    """A delivery calendar.

    ``zone``: IANA name of the clock in which its days are counted. A delivery day begins at ``day_start`` on the local day
    that is ``day_offset`` days (0 or -1) after its date: the day of British power begins at 23:00 on the day before.
    ``blocks``: name of the calendar of blocks (``core.calendars``) that its products use; None: it has only base.
    """

    name: str
    title: str
    zone: str
    day_start: time = time(0)
    day_offset: int = 0
    blocks: str | None = None
