"""Names of clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import polars as pl

from aurum.core.errors import UnknownName
from aurum.core.names import nearest


def parse_zone(name: str) -> str:
    """The name, when it is one of the IANA time zone database. Raises ``UnknownName`` with the nearest names.

    Both Polars and the standard library must know it: the latter also finds what is no zone of IANA's on some machines
    (``posixrules``, ``localtime``).
    """
    try:
        pl.select(pl.lit(datetime(2000, 1, 1, tzinfo=UTC)).dt.convert_time_zone(name))
        ZoneInfo(name)
    except (pl.exceptions.ComputeError, ZoneInfoNotFoundError, ValueError):  # ValueError: no name at all
        raise UnknownName("time zone", name, nearest(name, sorted(available_timezones() - {name}))) from None
    return name
